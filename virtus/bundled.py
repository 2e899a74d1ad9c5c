"""Where the files lie that ship with Virtus: examples, styles, scripts, templates, bundled checkpoints."""

from pathlib import Path

_PACKAGED = Path(__file__).parent / "assets"  # in a wheel; in a clone and on a Space they lie beside the package

ASSETS = _PACKAGED if (_PACKAGED / "templates").is_dir() else Path(__file__).parents[1] / "assets"
