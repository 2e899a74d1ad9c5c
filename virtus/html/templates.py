"""The templates of `assets/templates`, filled by Jinja2. Every text that is put in is escaped, whoever wrote it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from virtus.bundled import ASSETS
from virtus.drawing import TONES, jpeg_uri

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def render_part(template: str, macro: str, **values: Any) -> Markup:
    """A part of a page: what a macro makes of its arguments, named as in the template.

    Returns:
        HTML that other templates take as it is: it is escaped already.
    """
    return getattr(_environment().get_template(template).module, macro)(**values)


def render_page(template: str, **values: Any) -> str:
    """A whole template, with all that it names given; one that is missing is an error."""
    return _environment().get_template(template).render(values)


def percent(share: float) -> str:
    """Whole per cent; never the 0 or 100 that would claim certainty."""
    if share > 0.99:
        return "over 99 %"
    return "under 1 %" if share < 0.01 else f"{share * 100:.0f} %"


def in_seconds(time_ms: float) -> str:
    """Two figures, in ms below a second."""
    return f"{time_ms:.2g} ms" if time_ms < 99.5 else f"{time_ms / 1000:.2g} s"


@cache
def _environment() -> Environment:
    """Jinja2 is imported when the first template is filled: the command line's help needs none."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([ASSETS / "templates", ASSETS / "styles"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["TONES"] = TONES
    environment.filters |= {"css": lambda share: f"{100 * share:.1f}%", "jpeg_uri": jpeg_uri, "in_s": in_seconds}
    return environment
