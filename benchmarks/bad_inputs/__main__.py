"""The corpus of bad inputs through command line, API and app, and wrong parameters through the API (Linux).

    python -m benchmarks.bad_inputs                     # all of it, some minutes
    python -m benchmarks.bad_inputs --doors api parameters --seed 1
    python -m benchmarks.bad_inputs --every 10          # every tenth file of each family

Ends with 1 if any file got another answer than it must, a stack was shown, or a limit was passed.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import parser
from benchmarks.bad_inputs.uploads import Corpus, Found, through_api, through_app, through_parameters
from benchmarks.load.served import served_app
from tests.corpus import make_inputs, write_inputs
from tests.corpus.doors import Answer, clean_log, faults, of_rows, peak_mib
from tests.corpus.inputs import Expected
from tests.corpus.names import make_names

DOORS = ("cli", "api", "parameters", "app")
MAX_MIB = 3072  # two pictures of up to 50 million pixels at a time
MAX_S = 60.0  # for one file


@dataclass
class Tally:
    """Of one family: what was answered."""

    outcomes: Counter = field(default_factory=Counter)
    slowest_s: float = 0.0
    faults: list[str] = field(default_factory=list)

    def add(self, name: str, expected: Expected, answer: Answer | None) -> None:
        self.outcomes["refused" if answer is None or answer.refused else "read"] += 1
        self.slowest_s = max(self.slowest_s, answer.seconds if answer else 0.0)
        self.faults += [f"{name}: {fault}" for fault in faults(expected, answer, limit_s=MAX_S)]


def write_corpus(folder: Path, seed: int, every: int) -> Corpus:
    """Family to path to what must come of it, of every so many-th file."""
    corpus = {}
    for family, inputs in make_inputs(seed, heavy=True).items():
        written = write_inputs(folder / family, inputs)
        corpus[family] = {str(path): one.expected for path, one in written.items()}
    corpus["names"] = make_names(folder / "names")
    return {family: dict(list(files.items())[::every]) for family, files in corpus.items()}


def through_cli(corpus: Corpus, log: Path) -> tuple[Found, Callable[[], float]]:
    """One scan of all files. The time of a row is that since the row before it: files are judged eight at a time."""
    paths = [path for family in corpus.values() for path in family]
    command = [sys.executable, "-m", "virtus", "scan", "--model", "virtus-fast", "--format", "json", "--frames", "4"]
    scan = subprocess.Popen([*command, "--", *paths], stdout=subprocess.PIPE, stderr=log.open("w"))
    assert scan.stdout is not None
    peak, last, lines, times = 0.0, time.perf_counter(), [], {}
    for line in map(os.fsdecode, scan.stdout):
        peak = max(peak, peak_mib(scan.pid))
        now = time.perf_counter()
        lines.append(line)
        times[len(lines) - 1], last = now - last, now
    status = scan.wait()
    answers = of_rows(lines)
    return _found(corpus, answers, max(times.values(), default=0.0), status), lambda: peak


def _found(corpus: Corpus, answers: Mapping[str, Answer], slowest_s: float, status: int) -> Found:
    for family, files in corpus.items():
        for path, expected in files.items():
            yield family, path, expected, answers.get(path)
    ended = Answer("refused", f"ended with status {status}", slowest_s)
    yield "(the scan)", f"status {status}", Expected.REFUSED if status == 1 else Expected.READ, ended


def through_server(door: str, url: str, corpus: Corpus, rng: random.Random, every: int) -> Found:
    if door == "parameters":
        return through_parameters(url, lambda requests: requests[::every])
    return through_api(url, corpus) if door == "api" else through_app(url, corpus, rng)


def report(door: str, found: Found, peak: Callable[[], float], log: Path) -> bool:
    """Print a table by family; whether all was well."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    for family, path, expected, answer in found:
        tallies[family].add(path, expected, answer)
    print(f"\n## {door}\n\n| family | files | refused | read | slowest s | wrong |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for family, tally in tallies.items():
        refused, read = tally.outcomes["refused"], tally.outcomes["read"]
        print(f"| {family} | {refused + read} | {refused} | {read} | {tally.slowest_s:.1f} | {len(tally.faults)} |")
    wrong = [fault for tally in tallies.values() for fault in tally.faults]
    wrong += [f"the log shows a stack: {line}" for line in clean_log(log.read_text(errors="replace"))[:20]]
    if peak() > MAX_MIB:
        wrong.append(f"took {peak():.0f} MiB")
    total = sum(tally.outcomes.total() for tally in tallies.values())
    print(f"\n{total} answers, peak {peak():.0f} MiB (limit {MAX_MIB}), {len(wrong)} wrong", flush=True)
    for line in wrong[:50]:
        print("WRONG", ascii(line)[-300:])
    return not wrong


def main() -> None:
    options = parser(__doc__, seed=0, every=1)
    options.add_argument("--doors", nargs="+", choices=DOORS, default=DOORS)
    args = options.parse_args()
    rng, well = random.Random(args.seed), True
    with tempfile.TemporaryDirectory() as temporary:
        folder, log = Path(temporary), Path(temporary, "log.txt")
        corpus = write_corpus(folder / "corpus", args.seed, args.every)
        for door in args.doors:
            start = time.perf_counter()
            if door == "cli":
                well &= report(door, *through_cli(corpus, log), log)
            else:
                with log.open("w") as stream, served_app(stderr=stream) as (url, pid):
                    answers = through_server(door, url, corpus, rng, args.every)
                    well &= report(door, answers, lambda pid=pid: peak_mib(pid), log)
            print(f"{time.perf_counter() - start:.0f} s")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
