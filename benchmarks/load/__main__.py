"""Many visitors of the app at once: is each answered, about its own picture, and does memory stay?

    python -m benchmarks.load --clients 64 --seconds 300       # the goal
    python -m benchmarks.load --clients 1,4,16,64 --seconds 20 # how it grows

Visitors upload, ask and check the answer against the engine's own; one in twenty leaves before it is answered.
"""

from __future__ import annotations

import asyncio
import collections
import random
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

import virtus
from benchmarks import parser
from benchmarks.load.served import peak_mib, resident_mib, served_app
from benchmarks.load.visitors import Busy, MixedUp, Visitor, make_visitors

SHARE_LEAVING = 0.05
BUSY_PAUSE_S = 1.0  # before a visitor who was told that the app is busy asks again
WARM_UP_SHARE, MAX_WARM_UP_S = 0.2, 60.0
COLUMNS = "visitors,answers,busy,errors,mixed up,left,p50 s,p95 s,photos/s,MiB warm,MiB at the end,growth,peak MiB"


@dataclass
class Visits:
    """What came of all requests."""

    waits: list[tuple[str, float]] = field(default_factory=list)  # endpoint, seconds
    photos: int = 0
    busy: int = 0
    left: int = 0
    mixed_up: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    async def count(self, visitor: Visitor, client: httpx.AsyncClient, draw: random.Random) -> None:
        """One request of a visitor."""
        start = time.perf_counter()
        try:
            if draw.random() < SHARE_LEAVING:
                await visitor.leave(client, draw)
                self.left += 1
                return
            api_name, photos = await visitor.ask(client, draw)
            self.photos += photos
            self.waits.append((api_name, time.perf_counter() - start))
        except Busy:
            self.busy += 1
            await asyncio.sleep(BUSY_PAUSE_S)
        except MixedUp as exc:
            self.mixed_up.append(str(exc))
        except Exception as exc:  # whatever it is, it is counted, and the others go on
            self.errors.append(f"{type(exc).__name__}: {exc}")


async def visit(visitors: Sequence[Visitor], url: str, seconds: float, tally: Visits) -> None:
    """All visitors at once, each asking again as soon as it was answered."""
    end = time.monotonic() + seconds
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=len(visitors))

    async def stay(visitor: Visitor) -> None:
        draw = random.Random(visitor.number)
        while time.monotonic() < end:
            await tally.count(visitor, client, draw)

    async with httpx.AsyncClient(base_url=f"{url}gradio_api/", timeout=60, limits=limits) as client:
        await asyncio.gather(*map(stay, visitors))


async def watch_memory(pid: int, seconds: float) -> list[float]:
    """Resident MiB, once a second."""
    sizes = []
    for _ in range(int(seconds)):
        await asyncio.sleep(1)
        sizes.append(resident_mib(pid))
    return sizes


def twentieths(seconds: Sequence[float]) -> list[float]:
    return statistics.quantiles(seconds, n=20) if len(seconds) > 1 else [float("nan")] * 19


def print_endpoints(tally: Visits) -> None:
    """How long each kind of question waits: batches leave single photos the way, so that they wait longest."""
    for name in sorted({name for name, _ in tally.waits}):
        times = twentieths([seconds for other, seconds in tally.waits if other == name])
        print(f"{name}: p50 {times[9]:.2f} s, p95 {times[18]:.2f} s")


async def measure(visitors: Sequence[Visitor], url: str, pid: int, seconds: float) -> Visits:
    """A row of the table, after a warm-up with the same visitors."""
    await visit(visitors, url, min(seconds * WARM_UP_SHARE, MAX_WARM_UP_S), Visits())
    tally, start = Visits(), time.perf_counter()
    _, sizes = await asyncio.gather(visit(visitors, url, seconds, tally), watch_memory(pid, seconds))
    taken = time.perf_counter() - start
    tenth = max(1, len(sizes) // 10)
    warm, end = statistics.median(sizes[:tenth]), statistics.median(sizes[-tenth:])
    times = twentieths([seconds for _, seconds in tally.waits])
    counts = (len(visitors), len(tally.waits), tally.busy, len(tally.errors), len(tally.mixed_up), tally.left)
    memory = f"{warm:.0f} | {end:.0f} | {end / warm - 1:+.1%} | {peak_mib(pid):.0f}"
    speed = f"{times[9]:.2f} | {times[18]:.2f} | {tally.photos / taken:.1f}"
    print(f"| {' | '.join(map(str, counts))} | {speed} | {memory} |", flush=True)
    return tally


def main() -> None:
    args = parser(__doc__, clients="64", seconds=300.0, model="virtus-fast").parse_args()
    counts = [int(number) for number in args.clients.split(",")]
    visitors = make_visitors(max(counts), virtus.Detector(virtus.load_checkpoint(args.model)))
    names = COLUMNS.split(",")
    print(f"| {' | '.join(names)} |\n|{' ---: |' * len(names)}", flush=True)
    with served_app("--model", args.model) as (url, pid):
        tallies = [asyncio.run(measure(visitors[:count], url, pid, args.seconds)) for count in counts]
        waiting = httpx.get(f"{url}gradio_api/queue/status").json()["queue_size"]
    print()
    print_endpoints(tallies[-1])
    wrong = collections.Counter(one for tally in tallies for one in tally.errors + tally.mixed_up)
    print(f"\nStill waiting after all had left: {waiting}")
    for text, number in wrong.most_common(10):
        print(f"{number} x {text[:500]}")
    sys.exit(bool(wrong or waiting))


if __name__ == "__main__":
    main()
