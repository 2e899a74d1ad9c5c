"""A Dockerfile read as far as ours goes: its stages, and what each instruction says."""

from __future__ import annotations

import fnmatch
import json
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


@dataclass
class Stage:
    """From one FROM to the next.

    Attributes:
        name: after AS; empty where it has none.
        arguments: each ARG with its default, those before the first FROM too.
        steps: every other instruction, in its order, with the rest of its line.
    """

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    steps: list[tuple[str, str]] = field(default_factory=list)


def read_dockerfile(text: str) -> list[Stage]:
    """Its stages, in their order."""
    stages: list[Stage] = []
    shared: dict[str, str] = {}
    for word, rest in _instructions(text):
        if word == "FROM":
            stages.append(Stage(rest.partition(" AS ")[2], dict(shared)))
        elif word == "ARG":
            name, _, default = rest.partition("=")
            (stages[-1].arguments if stages else shared)[name] = default
        else:
            stages[-1].steps.append((word, rest))
    return stages


def assignments(rest: str, known: dict[str, str]) -> dict[str, str]:
    """What an ENV sets; `known` stands for the variables in it."""
    pairs = (pair.partition("=") for pair in rest.split())
    return {name: VARIABLE.sub(lambda one: known.get(one[1] or one[2], ""), value) for name, _, value in pairs}


def words_of(rest: str) -> list[str]:
    """The JSON list of an ENTRYPOINT, a CMD or a HEALTHCHECK."""
    return json.loads(rest[rest.index("[") :])


def seconds_of(rest: str, option: str) -> float:
    """An option of HEALTHCHECK, such as --interval=30s."""
    return float(re.search(rf"--{option}=(\d+)s", rest)[1])


def context_files(folder: Path) -> list[PurePosixPath]:
    """What the folder's .dockerignore lets through, relative to it."""
    patterns = [line for line in (folder / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    files = (path for path in folder.rglob("*") if path.is_file())
    names = (PurePosixPath(path.relative_to(folder)) for path in files)
    return [name for name in names if not _left_out(name, patterns)]


def _instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in whole) if word]


def _left_out(name: PurePosixPath, patterns: list[str]) -> bool:
    """The last pattern that fits the file or a folder above it decides, as in Docker."""
    out = False
    for pattern in patterns:
        wanted = pattern.lstrip("!").removeprefix("**/")
        anywhere = wanted != pattern.lstrip("!")
        if any(fnmatch.fnmatchcase(one.name if anywhere else str(one), wanted) for one in (name, *name.parents[:-1])):
            out = not pattern.startswith("!")
    return out
