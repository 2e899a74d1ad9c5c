"""The fuzzer of the tests for as long as one likes, from another start each time.

    python -m benchmarks.fuzz --examples 100000
    python -m benchmarks.fuzz --examples 20000 --only pictures clips

What fails is made as small as it can be, and shown.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import fuzzing
from virtus.provenance import credentials


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ("pictures", "arrays", "modes", "origins", "clips", "zips")
    parser.add_argument("--examples", type=int, default=10_000, help="of each (default: 10000)")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # Pillow's, of damaged tags
    credentials.can_read = lambda: False  # would start a process for each
    print("| what | examples | seconds | examples/s |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fuzzed.zip")
        checks = {
            "pictures": (fuzzing.pictures(), fuzzing.check_picture),
            "arrays": (fuzzing.any_arrays(), fuzzing.check_source),
            "modes": (st.data(), fuzzing.check_any_mode),
            "origins": (fuzzing.pictures(), fuzzing.check_origin),
            "clips": (fuzzing.clips(), fuzzing.check_clip),
            "zips": (fuzzing.zips(), lambda data: fuzzing.check_zip(data, path)),
        }
        for name in args.only:
            _run(name, *checks[name], args.examples)


def _run(name: str, strategy: st.SearchStrategy, check, examples: int) -> None:
    start, count = time.perf_counter(), 0

    @settings(max_examples=examples, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def hold(example) -> None:
        nonlocal count
        count += 1
        check(example)

    hold()
    took = time.perf_counter() - start
    print(f"| {name} | {count:,} | {took:.0f} | {count / took:.0f} |", flush=True)


if __name__ == "__main__":
    main()
