"""The tables of what endpoints answer, for docs/api.md. Renew them by `python -m tests.support.api_tables`."""

import inspect
import re
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from virtus.app.api import answers
from virtus.judging.comparison import ComparedFace, ComparedReport
from virtus.provenance.findings import Finding, Provenance
from virtus.results import (
    Calibration,
    CheckpointInfo,
    Explanation,
    FaceReport,
    Faithfulness,
    ImageReport,
    Stability,
)
from virtus.schema import As, Number, Row, Text, columns_of
from virtus.video.report import PersonReport, Sight, VideoReport

FILE = Path(__file__).parents[2] / "docs" / "api.md"
ROWS = (
    *(ImageReport, FaceReport, Stability, CheckpointInfo, Calibration, answers.BatchReport, answers.ExplainAnswer),
    answers.ExploreAnswer,
    *(Faithfulness, answers.CompareAnswer, answers.CheckpointReport, ComparedReport, ComparedFace, Explanation),
    *(answers.NotAsked, answers.CheckpointName, Provenance, Finding, VideoReport, PersonReport, Sight),
)
ATTRIBUTE = r"^    (\w+(?:, \w+)*): (.+(?:\n     +.+)*)"
WORDS = {float: "number", int: "integer", bool: "boolean", NoneType: "null", None: "null"}


def tables() -> str:
    """What stands between the headings `Answers` and `Errors`."""
    head = (
        "Keys marked with ? are not always there. `path` is null: where a file lies on the server is nobody's business."
    )
    return "\n\n".join([head, *map(section, ROWS)]) + "\n"


def section(row: type[Row]) -> str:
    columns, bases = own_columns(row)
    lines = [f"| `{one.name}`{' ?' if one.when else ''} | {type_words(one.type)} | {about(one)} |" for one in columns]
    intro = (inspect.getdoc(row) or "").split("\n\n")[0].replace("\n", " ")
    of = f"\n\nAll of {' and '.join(bases)}, and:" if bases else ""
    table = "\n".join(["| key | type | meaning |", "| --- | --- | --- |", *lines])
    return f"### {row.__name__}\n\n{intro}{of}\n\n{table}"


def own_columns(row: type[Row]) -> tuple[list, list[str]]:
    """The columns that its table has, and of which other tables it has all."""
    columns, bases = list(columns_of(row)), []
    for owner in [one for one in dict.fromkeys(column.owner for column in columns) if one is not row]:
        here = {column.name for column in columns if column.owner is owner}
        always = {column.name for column in columns if column.owner is owner and not column.when}
        if always >= {column.name for column in columns_of(owner) if not column.when}:
            missing = [f"`{column.name}`" for column in columns_of(owner) if column.name not in here]
            bases.append(link(owner) + (f" but {', '.join(missing)}" if missing else ""))
            columns = [column for column in columns if column.owner is not owner]
    if (base := row.__mro__[1]) is not Row:
        inherited = {column.name: column.type for column in columns_of(base)}
        bases.append(link(base))
        columns = [column for column in columns if inherited.get(column.name) != column.type]
    return columns, bases


def about(column) -> str:
    """From the docstring of a property, or the line on the field in that of its class or of one that it is made of."""
    for owner in column.owner.__mro__:
        if isinstance(value := vars(owner).get(column.attribute), property):
            text = inspect.getdoc(value) or ""
            return clean(text[0].lower() + text[1:])
        for names, text in re.findall(
            r"^    (\w+(?:, \w+)*): (.+(?:\n     +.+)*)", inspect.getdoc(owner) or "", re.MULTILINE
        ):
            if column.attribute in names.split(", "):
                return clean(text)
    return ""


def clean(text: str) -> str:
    return re.sub(r"\bNone\b", "null", re.sub(r"\s+", " ", text)).rstrip(".")


def type_words(hint) -> str:
    if get_origin(hint) is Annotated:
        inner, *marks = get_args(hint)
        return type_words(next((mark.type for mark in marks if isinstance(mark, As | Number | Text)), inner))
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return " or ".join(map(type_words, inner))
    if origin in (tuple, list):
        number = "" if origin is list or inner[1:] == (...,) else f"{len(inner)} "
        return f"list of {number}{plural(type_words(inner[0]))}"
    if origin is dict:
        return "object"
    if hint in WORDS:
        return WORDS[hint]
    if origin is Literal or issubclass(hint, (str, Enum)):
        return "string"
    return link(hint)


def plural(words: str) -> str:
    return " or ".join(word if word[0] == "[" else re.sub(r"^\w+", r"\g<0>s", word) for word in words.split(" or "))


def link(row: type[Row]) -> str:
    return f"[`{row.__name__}`](#{row.__name__.lower()})"


def renewed(text: str) -> str:
    return re.sub(r"(?<=^## Answers\n\n).*?(?=\n^## Errors)", lambda _: tables(), text, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    FILE.write_text(renewed(FILE.read_text(encoding="utf-8")), encoding="utf-8")
