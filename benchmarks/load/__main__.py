"""Many visitors of the app at once: is each answered, about its own picture, and does memory stay?

    python -m benchmarks.load                                             # the goal: half an hour
    python -m benchmarks.load --clients 1,4,16,64 --seconds 60 --settle 20 --pause 0 # how it grows
    python -m benchmarks.load --clients 4 --seconds 300 --settle 60 --pause 0 --ask provenance # one endpoint alone

Visitors upload, ask, check the answer against the engine's own, and look at it for `--pause` seconds; one in twenty
leaves before it is answered. Memory is the app's, after `--settle` seconds and at the end: each time the median of the
last thirty seconds, or of a tenth of the time if that is less. Waits are those of a photo, by `analyze`.
"""

from __future__ import annotations

import argparse
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
from benchmarks.load.visitors import ANSWER_S, ASKED, Busy, MixedUp, Visitor, make_visitors

SHARE_LEAVING = 0.05
MIB = 2**20
BUSY_PAUSE_S = 1.0  # before a visitor who was told that the app is busy asks again
WINDOW_S = 30.0  # over which memory is a median
KEEP_ALIVE_S = 3.0  # the server closes what is idle for 5 s, perhaps just when a question is sent after a pause
COLUMNS = "visitors,answers,busy,errors,mixed up,left,p50 s,p95 s,photos/s,MiB settled,MiB at the end,growth"
COLUMNS += ",kB an answer,peak MiB"


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


async def visit(visitors: Sequence[Visitor], url: str, seconds: float, pause_s: float, tally: Visits) -> None:
    """All visitors, each asking again after a pause; the first come one after the other, within a pause."""
    end = time.monotonic() + seconds
    keep = {"max_keepalive_connections": len(visitors), "keepalive_expiry": KEEP_ALIVE_S}
    limits = httpx.Limits(max_connections=None, **keep)

    async def stay(visitor: Visitor) -> None:
        draw = random.Random(visitor.number)
        await asyncio.sleep(draw.uniform(0, pause_s))
        while time.monotonic() < end:
            await tally.count(visitor, client, draw)
            await asyncio.sleep(min(pause_s, max(0.0, end - time.monotonic())))

    async with httpx.AsyncClient(base_url=f"{url}gradio_api/", timeout=ANSWER_S, limits=limits) as client:
        await asyncio.gather(*map(stay, visitors))


@dataclass
class Memory:
    """Of the app, while it is visited.

    Attributes:
        settled, end: MiB after some time, and when the visitors had left.
        answers: that came between.
    """

    settled: float = 0.0
    end: float = 0.0
    answers: int = 0

    async def watch(self, pid: int, seconds: float, settle_s: float, tally: Visits) -> None:
        """Look once a second."""
        window_s = min(WINDOW_S, seconds / 10)
        await asyncio.sleep(settle_s - window_s)
        self.settled, before = await _median_mib(pid, window_s), len(tally.waits)
        await asyncio.sleep(seconds - settle_s - window_s)
        self.end, self.answers = await _median_mib(pid, window_s), len(tally.waits) - before

    @property
    def growth(self) -> str:
        """As a share, and in kB for each answer."""
        grown = self.end - self.settled
        return f"{grown / self.settled:+.1%} | {grown * MIB / 1000 / max(1, self.answers):+.1f}"


async def _median_mib(pid: int, seconds: float) -> float:
    sizes, end = [resident_mib(pid)], time.monotonic() + seconds
    while time.monotonic() < end:
        await asyncio.sleep(1)
        sizes.append(resident_mib(pid))
    return statistics.median(sizes)


def twentieths(seconds: Sequence[float]) -> list[float]:
    return statistics.quantiles(seconds, n=20) if len(seconds) > 1 else [float("nan")] * 19


def print_endpoints(tally: Visits) -> None:
    """How long each kind of question waits: batches leave single photos the way, so that they wait longest."""
    for name in sorted({name for name, _ in tally.waits}):
        times = twentieths([seconds for other, seconds in tally.waits if other == name])
        print(f"{name}: p50 {times[9]:.2f} s, p95 {times[18]:.2f} s")


async def measure(visitors: Sequence[Visitor], url: str, pid: int, args: argparse.Namespace) -> Visits:
    """A row of the table."""
    tally, memory, start = Visits(), Memory(), time.perf_counter()
    visits = visit(visitors, url, args.seconds, args.pause, tally)
    await asyncio.gather(visits, memory.watch(pid, args.seconds, args.settle, tally))
    taken = time.perf_counter() - start
    times = twentieths([seconds for name, seconds in tally.waits if name == "analyze"])
    counts = (len(visitors), len(tally.waits), tally.busy, len(tally.errors), len(tally.mixed_up), tally.left)
    sizes = f"{memory.settled:.0f} | {memory.end:.0f} | {memory.growth} | {peak_mib(pid):.0f}"
    speed = f"{times[9]:.2f} | {times[18]:.2f} | {tally.photos / taken:.1f}"
    print(f"| {' | '.join(map(str, counts))} | {speed} | {sizes} |", flush=True)
    return tally


def main() -> None:
    args = parser(
        __doc__, clients="64", seconds=1800.0, settle=300.0, pause=10.0, ask=",".join(ASKED), model="virtus-fast"
    ).parse_args()
    if not 0 < args.settle < args.seconds:
        raise SystemExit("--settle lies within --seconds")
    counts = [int(number) for number in args.clients.split(",")]
    visitors = make_visitors(max(counts), virtus.Detector(virtus.load_checkpoint(args.model)), args.ask.split(","))
    names = COLUMNS.split(",")
    print(f"| {' | '.join(names)} |\n|{' ---: |' * len(names)}", flush=True)
    with served_app("--model", args.model) as (url, pid):
        tallies = [asyncio.run(measure(visitors[:count], url, pid, args)) for count in counts]
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
