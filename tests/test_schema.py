"""Rows, checks and types that follow from a dataclass alone."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, NotRequired, Required, get_type_hints

import pytest
from pydantic import ValidationError

from virtus.results import CheckpointInfo, Face, FaceReport, ImageReport, Label, Outcome
from virtus.scans.rows import csv_columns, csv_lines
from virtus.schema import FIRST, HIDDEN, As, Inline, Key, Number, Row, Text, adapter, row_type

INFO = CheckpointInfo("virtus-fast", "bundled", "ab" * 32)


@dataclass(frozen=True)
class Inner(Row):
    depth: Annotated[float, Number(2, ge=0, lt=10)]
    code: Annotated[str, Text("^[a-z]+$")] = "ab"
    label: Label | None = None


@dataclass(frozen=True)
class Extra(Row):
    weight: float


@dataclass(frozen=True)
class Outer(Row):
    name: str
    inner: Annotated[Inner, Inline(without=("code",))]
    others: tuple[Inner, ...] = ()
    secret: Annotated[int, HIDDEN] = 7
    shares: Annotated[dict[str, Annotated[float, Number(1)]] | None, Key("parts")] = None
    boss: Annotated[Face, As(float, attrgetter("confidence"))] | None = None
    remark: Annotated[str | None, Key(after=FIRST, when="remark")] = None
    more: Annotated[Extra | None, Inline()] = None

    @property
    def size(self) -> Annotated[int, Key(after="name")]:
        return len(self.name)


FULL = Outer(
    "Bo", Inner(1.234567, label=Label.FAKE), (Inner(2, "c"),), 8, {"a": 0.25}, Face((0, 0, 1, 1), (), 0.5), "Hm."
)


def test_marks_say_how_a_field_stands_in_its_row():
    row = FULL.to_json()
    assert row == {
        "remark": "Hm.",
        "name": "Bo",
        "size": 2,
        "depth": 1.23,
        "label": "fake",
        "others": [{"depth": 2, "code": "c", "label": None}],
        "parts": {"a": 0.2},
        "boss": 0.5,
    }
    assert list(row) == ["remark", "name", "size", "depth", "label", "others", "parts", "boss"]
    assert type(row["label"]) is str
    assert Outer("B", Inner(1), more=Extra(0.5)).to_json() == {
        "name": "B", "size": 1, "depth": 1, "label": None, "others": [], "parts": None, "boss": None, "weight": 0.5,
    }  # fmt: skip


def test_what_need_not_be_there_is_no_required_key():
    kind = row_type(Outer)
    assert get_type_hints(kind)["others"] == list[row_type(Inner)]
    assert get_type_hints(kind)["remark"] is str
    assert kind.__required_keys__ == {"name", "size", "depth", "label", "others", "parts", "boss"}
    assert kind.__annotations__["name"] == Required[str]
    assert kind.__annotations__["remark"] == NotRequired[str]
    assert row_type(Inner).__total__
    assert not kind.__total__


def test_a_row_that_is_read_is_checked():
    inner = adapter(Inner)
    assert inner.validate_json('{"depth": 1, "code": "a", "label": "fake"}', strict=True)["label"] == "fake"
    for row in ('"depth": 10, "code": "a"', '"depth": NaN, "code": "a"', '"depth": 1, "code": "A"', '"depth": 1'):
        with pytest.raises(ValidationError):
            inner.validate_json(f'{{{row}, "label": null}}', strict=True)


@dataclass(frozen=True)
class AgedFace(FaceReport):
    """A face that has one field more.

    Attributes:
        age_years: how old it looks.
    """

    age_years: Annotated[float, Number(1)] = 0.0


@dataclass(frozen=True)
class AgedReport(ImageReport):
    faces: Annotated[tuple[AgedFace, ...], Key(after="image_size")] = ()


def test_a_field_is_declared_once_and_stands_in_rows_schemas_and_types():
    face = AgedFace((0.0, 0.0, 9.0, 9.0), Outcome.REAL, p_fake=0.125, age_years=31.25)
    report = AgedReport(Outcome.REAL, INFO, (face,), (9, 9))
    assert report.to_json()["faces"][0]["age_years"] == 31.2
    assert csv_columns(AgedFace)[:16] == [*csv_columns()[:15], "age_years"]
    assert csv_lines(report)[0]["age_years"] == 31.2
    schema = adapter(AgedReport).json_schema(mode="serialization")
    assert schema["properties"]["faces"]["items"]["properties"]["age_years"]["type"] == "number"
    assert get_type_hints(get_type_hints(row_type(AgedReport))["faces"].__args__[0])["age_years"] is float


def test_a_field_is_a_column_of_parquet_too():
    pytest.importorskip("pyarrow", reason="Ray is not installed: pip install 'virtus[ray]'")
    from virtus.scans.ray.parquet import schema_of

    assert str(schema_of(AgedReport).field("faces").type.value_type.field("age_years").type) == "double"
