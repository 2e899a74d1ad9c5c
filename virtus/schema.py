"""What is shown of a result, declared once: its JSON, JSON Schema, checks and tables follow from a dataclass.

A field of a `Row` is a key of its JSON object, named and typed as it is; the markers below say what differs. pydantic,
which checks by them, is imported on first use: to import this module costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, TypeAdapter
    from pydantic_core import CoreSchema

HIDDEN = "hidden"
"""Marks a field that is no key."""
FIRST = ""
"""`Key.after` of what stands before all other keys."""


@dataclass(frozen=True)
class Key:
    """How a field stands in its row; a property stands there only if its return type has this mark.

    Attributes:
        name: of the key, where it is not that of the field.
        after: the key that it follows, where that is not the one declared before it.
        when: attribute of the dataclass without whose truth the key is absent.
    """

    name: str | None = None
    after: str | None = None
    when: str | None = None


@dataclass(frozen=True)
class Inline:
    """The keys of the field's own row stand in the row of the dataclass; those in `without` do not."""

    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class As:
    """A value that is shown as something else: `Annotated[Caution, As(str, attrgetter("name"))]`.

    Attributes:
        make: what is shown, from the value; None where the value has the attributes of `type`, a row.
    """

    type: Any
    make: Callable[[Any], Any] | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(self.type)


@dataclass(frozen=True)
class Number:
    """A finite number: rounded to so many digits when it is shown, checked to lie within limits when it is read."""

    type: ClassVar[Any] = float
    digits: int | None = None
    ge: float | None = None
    le: float | None = None
    gt: float | None = None
    lt: float | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core.core_schema import float_schema

        return float_schema(ge=self.ge, le=self.le, gt=self.gt, lt=self.lt, allow_inf_nan=False)


@dataclass(frozen=True)
class Text:
    """A text that is checked against a regular expression when it is read."""

    pattern: str
    type: ClassVar[Any] = str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core.core_schema import str_schema

        return str_schema(pattern=self.pattern)


Share = Annotated[float, Number(6, ge=0, le=1)]
"""A probability, or a share of something."""


class Row:
    """A dataclass that is shown as a JSON object. `adapter` of it checks such objects, and describes them."""

    def to_json(self) -> dict[str, Any]:
        return show(self, type(self))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        from pydantic_core.core_schema import typed_dict_field, typed_dict_schema

        return typed_dict_schema(
            {
                column.name: typed_dict_field(handler.generate_schema(column.type), required=column.when is None)
                for column in columns_of(cls)
            }
        )


def show(value: Any, kind: Any) -> Any:
    """What a value of an annotated type is in JSON. By hand: pydantic's import takes as long as the first picture."""
    origin, inner = get_origin(kind), get_args(kind)
    if value is None:
        return None
    if origin is Annotated:
        return _show_marked(value, inner[0], kind.__metadata__)
    if isinstance(kind, type) and issubclass(kind, Row):
        columns = (column for column in columns_of(kind) if column.when is None or column.when(value))
        return {column.name: show(column.get(value), column.type) for column in columns}
    if origin in (Union, UnionType):
        kinds = _without_none(kind)
        return show(value, next((one for one in kinds if isinstance(one, type) and isinstance(value, one)), kinds[0]))
    if origin in (tuple, list):
        return [show(each, inner[0]) for each in value]
    if origin is dict:
        return {str(key): show(each, inner[1]) for key, each in value.items()}
    return str(value) if isinstance(value, str) else value


def _show_marked(value: Any, kind: Any, marks: Sequence[Any]) -> Any:
    for mark in marks:
        if isinstance(mark, As):
            return show(mark.make(value) if mark.make else value, mark.type)
        if isinstance(mark, Number):
            return round(value, mark.digits) if mark.digits else value
    return show(value, kind)


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:
    """pydantic's door to a type: it checks and describes."""
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


@dataclass(frozen=True)
class Column:
    """A key of a row.

    Attributes:
        type: as it is declared, with its marks.
        get: its value, from the dataclass.
        when: whether it is there; None where it always is.
        owner: the dataclass that declares it; another one's for keys that stand inline.
        attribute: its name there.
    """

    name: str
    type: Any
    get: Callable[[Any], Any]
    when: Callable[[Any], Any] | None
    owner: type
    attribute: str


@cache
def columns_of(cls: type) -> tuple[Column, ...]:
    """The keys of a row's JSON object, in their order."""
    placed: list[Column] = []
    late: list[tuple[str, list[Column]]] = []
    for attribute, hint in _hints(cls).items():
        key = next((mark for mark in _marks(hint) if isinstance(mark, Key)), Key())
        inline = next((mark for mark in _marks(hint) if isinstance(mark, Inline)), None)
        columns = _inlined(attribute, hint, inline) if inline else [_column(cls, attribute, hint, key)]
        if key.after is None:
            placed += columns
        else:
            late.append((key.after, columns))
    for after, columns in late:
        at = [FIRST, *(column.name for column in placed)].index(after)
        placed[at:at] = columns
    return tuple(placed)


def _hints(cls: type) -> dict[str, Any]:
    """The shown fields and properties of a dataclass, and their types."""
    import numpy as np
    from PIL import Image

    names = {"np": np, "Image": Image}  # that annotations use and modules import for type checkers alone
    hints = get_type_hints(cls, localns=names, include_extras=True)
    shown = {field.name: hints[field.name] for field in fields(cls) if HIDDEN not in _marks(hints[field.name])}
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, property):
                returned = get_type_hints(value.fget, localns=names, include_extras=True).get("return")
                shown |= {name: returned} if any(isinstance(mark, Key) for mark in _marks(returned)) else {}
    return shown


def _marks(hint: Any) -> tuple[Any, ...]:
    return getattr(hint, "__metadata__", ())


def _column(cls: type, attribute: str, hint: Any, key: Key) -> Column:
    when = attrgetter(key.when) if key.when else None
    kind = _without_none(hint)[0] if key.when == attribute else hint
    return Column(key.name or attribute, kind, attrgetter(attribute), when, cls, attribute)


def _inlined(attribute: str, hint: Any, inline: Inline) -> list[Column]:
    """The columns of the row in a field; all may be absent where there need not be one."""
    view = next((mark.type for mark in _marks(hint) if isinstance(mark, As)), None)
    row, optional = view or _without_none(hint)[0], NoneType in get_args(get_args(hint)[0])
    outer = attrgetter(attribute)

    def inlined(column: Column) -> Column:
        def get(row: Any) -> Any:
            return column.get(outer(row))

        def when(row: Any) -> bool:
            return outer(row) is not None and (column.when is None or bool(column.when(outer(row))))

        needed = when if optional or column.when else None
        return Column(column.name, column.type, get, needed, column.owner, column.attribute)

    return [inlined(column) for column in columns_of(row) if column.name not in inline.without]


def _without_none(hint: Any) -> list[Any]:
    kind = get_args(hint)[0] if get_origin(hint) is Annotated else hint
    return [one for one in get_args(kind) if one is not NoneType] if get_origin(kind) in (Union, UnionType) else [kind]


@cache
def row_type(row: type) -> Any:
    """A `TypedDict` of what `row` is shown as, for libraries that read types: lists for tuples, no marks."""
    from typing_extensions import TypedDict

    columns = columns_of(row)
    total = not any(column.when for column in columns)  # Gradio reads no more than that
    keys = {c.name: (NotRequired if c.when else Required)[plain_type(c.type)] for c in columns}
    return TypedDict(row.__name__, keys, total=total)  # pyright: ignore[reportArgumentType] (made at run time)


def plain_type(hint: Any) -> Any:
    """The type of what a value of an annotated type is shown as."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return plain_type(next((mark.type for mark in _marks(hint) if hasattr(mark, "type")), inner[0]))
    if isinstance(hint, type) and issubclass(hint, Row):
        return row_type(hint)
    if origin in (Union, UnionType):
        return Union[tuple(map(plain_type, inner))]  # noqa: UP007 (of a list of types)
    if origin in (tuple, list):
        return list[plain_type(inner[0])]
    return dict[str, plain_type(inner[1])] if origin is dict else hint
