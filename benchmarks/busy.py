"""Commands beside a program that keeps all cores busy: do they take longer than with one thread?

Each command runs twice in turn, as it is and with OMP_NUM_THREADS=1, beside `--load` processes that never rest: one for
each core, or none where the cores are busy with other work.
The app is asked by its API, photo after photo. What is printed is the median of the turns in seconds, and the ratio;
then the same of the seconds of a core that each took. Threads that spin while they wait for each other show there, also
where the cores are shared with more than is started here.
`calibrate` needs twenty pictures of each class, and gets small ones as they lie in the data set, labelled in turn.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.material import val_pictures, write_photos
from virtus.bundled import ASSETS

VIRTUS = (sys.executable, "-m", "virtus")
FACE = ASSETS / "examples" / "grace-hopper.jpg"
LOAD = "import os\nbegun_by = os.getppid()\nwhile os.getppid() == begun_by: sum(range(100_000))"  # until that one ends
START_UP_S = 300
MAPS = ("--methods", "gradcam", "--faithfulness")
ASKED = 4  # photos that the app is asked for
CALIBRATING = 60  # not all of them are judged
FACES = "import sys; from pathlib import Path; from train.pictures import FaceCache; FaceCache(Path(sys.argv[1])).find"
FACES += "(sorted(Path(sys.argv[2]).rglob('*.jpg')))"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a tree of pictures that photos are made of")
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--load", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--only", nargs="+", metavar="COMMAND", help="of the first column")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--clip", type=Path, help="a clip, of which 16 frames are judged")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        commands = measured(args, Path(folder))
        stack.enter_context(busy_cores(args.load))  # not beside the making of photos
        beside = f"{args.load} processes beside on {os.cpu_count()} cores"
        print(f"{args.photos} photos, {args.turns} turns, {beside}, {args.model}", flush=True)
        print("| | as it is | one thread | ratio | of a core | one thread | ratio |", flush=True)
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
        for name in args.only or commands:
            run = commands[name]
            pairs = [(run({}), run({"OMP_NUM_THREADS": "1"})) for _ in range(args.turns)]
            print(f"| `{name}` | {_compared(pairs, 'wall')} | {_compared(pairs, 'cpu')} |", flush=True)


@dataclass(frozen=True)
class SpentTime:
    """Seconds by the clock, and of a core."""

    wall: float
    cpu: float


def _compared(pairs: list[tuple[SpentTime, SpentTime]], clock: str) -> str:
    ours, one = (statistics.median(getattr(taken, clock) for taken in turn) for turn in zip(*pairs, strict=True))
    return f"{ours:.1f} s | {one:.1f} s | {ours / one:.2f}"


def measured(args: argparse.Namespace, folder: Path) -> dict[str, Callable[[dict[str, str]], SpentTime]]:
    """Name of each command to what runs it with variables of the environment, and gives what it took."""
    labelled, small, model = folder / "photos", folder / "small", ["--model", args.model]
    (folder / "made").mkdir()
    _label_in_turn(map(Path, write_photos(folder / "made", args.data, args.photos)), labelled)
    _label_in_turn(val_pictures(args.data, CALIBRATING), small)
    commands = {
        "scan": [*VIRTUS, "scan", labelled, *model],
        "evaluate": [*VIRTUS, "evaluate", labelled, *model],
        "calibrate": [*VIRTUS, "calibrate", "--data", small, *model],
        "explain": [*VIRTUS, "explain", FACE, *MAPS, "--out", folder / "maps", *model],
        "train: faces": [sys.executable, "-c", FACES, folder / "faces.jsonl", labelled],
    }
    if args.clip:
        commands["scan CLIP"] = [*VIRTUS, "scan", args.clip, "--frames", "16", *model]
    timed = {name: lambda more, command=command: _seconds(command, more, folder) for name, command in commands.items()}
    return timed | {"app": lambda more: _seconds_of_app(args.model, sorted(labelled.rglob("*.jpg"))[:ASKED], more)}


def _label_in_turn(pictures: Iterable[Path], folder: Path) -> None:
    for at, path in enumerate(pictures):
        label = folder / ("Real" if at % 2 else "Fake")
        label.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, label / f"{at}{path.suffix}")


@contextlib.contextmanager
def busy_cores(number: int) -> Iterator[None]:
    """Processes that compute until the end."""
    started = [subprocess.Popen([sys.executable, "-c", LOAD]) for _ in range(number)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def _seconds(command: list, more: dict[str, str], folder: Path) -> SpentTime:
    (folder / "faces.jsonl").unlink(missing_ok=True)
    more = more | {"XDG_CONFIG_HOME": str(folder / "config")}  # where `calibrate` keeps what it found
    start, before = time.perf_counter(), _children_s()
    done = subprocess.run([str(part) for part in command], env=_environment(more), capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr}")
    return SpentTime(time.perf_counter() - start, _children_s() - before)


def _children_s() -> float:
    """Seconds of a core that processes took which were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _running_s(pid: int) -> float:
    """Of one that runs (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _seconds_of_app(model: str, photos: list[Path], more: dict[str, str]) -> SpentTime:
    """Of photos one after the other, once it is loaded."""
    from gradio_client import Client, handle_file

    port = "17931"
    server = subprocess.Popen(
        [*VIRTUS, "serve", "--port", port, "--model", model],
        env=_environment(more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        client = Client(_answering(f"http://127.0.0.1:{port}"), verbose=False)
        client.predict(handle_file(FACE), api_name="/analyze")
        start, before = time.perf_counter(), _running_s(server.pid)
        for photo in photos:
            client.predict(handle_file(photo), api_name="/analyze")
        return SpentTime(time.perf_counter() - start, _running_s(server.pid) - before)
    finally:
        server.terminate()
        server.wait()


def _answering(url: str) -> str:
    for _ in range(START_UP_S * 2):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url).close()
            return url
        time.sleep(0.5)
    raise SystemExit("The app did not start.")


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return kept | {"GRADIO_ANALYTICS_ENABLED": "False"} | more


if __name__ == "__main__":
    main()
