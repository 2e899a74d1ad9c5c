"""The corpus handed through a door of Virtus: what was answered to each file, and what is wrong with that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.corpus.inputs import Expected

UNREADABLE = "unreadable"
OUTCOMES = ("real", "fake", "inconclusive", "no_face", "face_too_small", UNREADABLE)
# What no user may see: our code's insides, the sentence for what nobody thought of, and Gradio's for the same.
INSIDES = re.compile(r"Traceback|File \"|site-packages|could not be read \(|verbose error reporting|NoneType", re.I)


@dataclass(frozen=True)
class Answer:
    """What a door said of one file.

    Attributes:
        outcome: `refused` where it said so in a sentence alone.
        said: the reason, empty for what was judged.
    """

    outcome: str
    said: str = ""
    seconds: float = 0.0

    @property
    def refused(self) -> bool:
        return self.outcome in (UNREADABLE, "refused")


def faults(expected: Expected, answer: Answer | None, *, limit_s: float = 60.0) -> list[str]:
    """What is wrong with an answer; nothing, if all is well."""
    if answer is None:
        return ["no answer"]
    found = [f"an outcome that there is not: {answer.outcome}"] if answer.outcome not in (*OUTCOMES, "refused") else []
    if expected is not Expected.EITHER and answer.refused != (expected is Expected.REFUSED):
        found.append(f"{answer.outcome}, where {expected.value} was expected")
    if answer.refused and len(answer.said) < 10:
        found.append("refused without a reason")
    if INSIDES.search(answer.said):
        found.append(f"says what no user should see: {answer.said[:200]}")
    return found + ([f"took {answer.seconds:.0f} s"] if answer.seconds > limit_s else [])


def of_report(report: dict, seconds: float = 0.0) -> Answer:
    """From a report as JSON."""
    return Answer(report["outcome"], report.get("reason", ""), seconds)


def of_answer(first: object, seconds: float = 0.0) -> Answer:
    """From the first value that an endpoint returns: a report, or what says nothing of a face."""
    is_report = isinstance(first, dict) and "outcome" in first
    return of_report(first, seconds) if is_report else Answer("no_face", "", seconds)


def of_rows(lines: Iterable[str]) -> dict[str, Answer]:
    """From JSON Lines: path to answer. Of a zip, the worst answer to a file in it counts for the zip."""
    found: dict[str, Answer] = {}
    for row in map(json.loads, lines):
        path, within, _ = row["path"].partition(".zip/")
        answer, path = of_report(row), path + within.rstrip("/")
        if path not in found or answer.refused:
            found[path] = answer
    return found


def clean_log(text: str) -> list[str]:
    """Of what a program wrote to its log: lines that show a stack."""
    return [line for line in text.splitlines() if "Traceback" in line or re.match(r'\s+File ".*", line \d+', line)]


def peak_mib(pid: int) -> float:
    """The kernel's high-water mark of resident memory (Linux); 0 for a process that has ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next((line.split()[1] for line in lines if line.startswith("VmHWM")), 0)) / 1024
