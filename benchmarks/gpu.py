"""Which way through the model is fastest on a GPU, and does feeding it cost anything: `python -m benchmarks.gpu`.

With `--data DATA` ([<source>/]val/Real|Fake) also photos a second of a scan by the number of its jobs. `--device cpu`
shows on any machine that it runs; its figures say nothing of a GPU.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

import virtus
from benchmarks import parser
from benchmarks.speed.material import MATRIX_SIDE, OPERATIONS, SIZES, verdict_operations, write_model, write_photos
from virtus.cli import count
from virtus.judging import analyze_paths
from virtus.models import Trunk, resolve_device

BATCHES = (1, 8, 64, 256)
JOBS = (1, 2, 4, 8)
PRECISIONS = ("float32", "bfloat16", "float16")
Way = Callable[[torch.Tensor], torch.Tensor]


def by_hand(trunk: Trunk, pixel_values: torch.Tensor) -> torch.Tensor:
    """As `Trunk.logits`, with scores and softmax as explanations look at them instead of torch's fused attention."""
    hidden = trunk.embed(pixel_values)
    for index in range(len(trunk.blocks) - 1):
        attention = trunk.attention(index, trunk.first_norm(index, hidden))
        hidden = trunk.run_block(index, hidden, attention=attention)
    return trunk.tail(hidden)


def ways(trunk: Trunk) -> Iterator[tuple[str, Way]]:
    """From `pixel_values` on the device to logits."""
    yield "Virtus", lambda batch: trunk.logits(trunk.embed(batch))
    yield "attention by hand", lambda batch: by_hand(trunk, batch)
    if trunk.device.type == "cuda":
        yield "Virtus, in a CUDA graph", in_graphs(lambda batch: trunk.logits(trunk.embed(batch)))
        yield "Virtus, torch.compile", torch.compile(lambda batch: trunk.logits(trunk.embed(batch)))


def in_graphs(way: Way) -> Way:
    """Record the kernels once for each size of batch, and start them together from then on."""
    recorded: dict[int, tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]] = {}

    def run(batch: torch.Tensor) -> torch.Tensor:
        if len(batch) not in recorded:
            recorded[len(batch)] = _record(way, batch.clone())
        graph, given, made = recorded[len(batch)]
        given.copy_(batch)
        graph.replay()
        return made

    return run


def _record(way: Way, given: torch.Tensor) -> tuple[torch.cuda.CUDAGraph, torch.Tensor, torch.Tensor]:
    aside = torch.cuda.Stream()  # what is recorded must have run before, elsewhere
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            way(given)
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        made = way(given)
    return graph, given, made


def milliseconds(work: Callable[[], object], device: torch.device, rounds: int) -> float:
    """Median, until the device has done it; the first two rounds are not counted."""
    taken = []
    for turn in range(rounds + 2):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if turn > 1:
            taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken)


@torch.inference_mode()
def print_ways(folder: Path, device: torch.device, batches: tuple[int, ...], rounds: int) -> None:
    """Crops a second and the share of the matrix rate, by precision, way and size of batch."""
    print("| precision | way | batch | crops/s | of the matrix rate | largest difference |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for precision in PRECISIONS if device.type == "cuda" else PRECISIONS[:2]:  # float16 takes a CPU minutes
        matrix = torch.randn(MATRIX_SIDE, MATRIX_SIDE, device=device).to(getattr(torch, precision))
        rate = OPERATIONS / milliseconds(lambda matrix=matrix: matrix @ matrix, device, rounds)
        model = virtus.load_checkpoint(str(folder), device="cpu", precision="float32").trunk.model
        trunk = Trunk(model, device=device, precision=precision)
        for name, way in ways(trunk):
            for size in batches:
                batch = torch.randn(size, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(device)
                taken = milliseconds(lambda way=way, batch=batch: way(batch), device, rounds)
                share = size * verdict_operations(trunk) / taken / rate
                off = (way(batch) - trunk.logits(trunk.embed(batch))).abs().max().item()
                figures = f"{size} | {1000 * size / taken:.0f} | {share:.0%} | {off:.4f}"
                print(f"| {precision} | {name} | {figures} |", flush=True)


def print_transfers(device: torch.device, size: int, rounds: int) -> None:
    """What it costs to bring a batch to the device, from ordinary memory and from pages that stay where they are."""
    batch = torch.randn(size, 3, 224, 224)
    pinned = batch.pin_memory()
    for name, given in {"ordinary": batch, "pinned": pinned}.items():
        taken = milliseconds(lambda given=given: given.to(device, non_blocking=True), device, rounds)
        print(f"{size} crops from {name} memory: {taken:.2f} ms, {batch.nbytes / taken / 1e6:.1f} GB/s")


def print_scans(folder: Path, device: str, data: Path, num_photos: int) -> None:
    """Reading and finding faces on the CPU, beside the model on the device."""
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device=device))
    with tempfile.TemporaryDirectory() as photos:
        paths = write_photos(Path(photos), data, num_photos)
        list(analyze_paths(detector, paths[:8]))
        for jobs in JOBS:
            start = time.perf_counter()
            list(analyze_paths(detector, paths, jobs=jobs))
            print(f"a scan with {jobs} jobs: {num_photos / (time.perf_counter() - start):.1f} photos/s", flush=True)


def main() -> None:
    options = parser(__doc__, device="cuda", rounds=20, photos=400)
    options.add_argument("--size", choices=SIZES, default="base")
    options.add_argument("--batches", type=lambda text: tuple(map(count, text.split(","))), default=BATCHES)
    options.add_argument("--data", type=Path)
    args = options.parse_args()
    device = resolve_device(args.device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, {args.size}\n")
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), args.size)
        print_ways(Path(folder), device, args.batches, args.rounds)
        if device.type == "cuda":
            print_transfers(device, max(args.batches), args.rounds)
        if args.data:
            print_scans(Path(folder), args.device, args.data, args.photos)


if __name__ == "__main__":
    main()
