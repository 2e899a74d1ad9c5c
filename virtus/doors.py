"""The door of a room: the names that its `__init__.py` offers, each loaded on first use.

`import virtus`, every `--help` and the app's first page load no torch. So a room's names are imported under
`TYPE_CHECKING` only, where readers and type checkers find them, and are looked up here when asked for (PEP 562).
From Python 3.15 on, `lazy import` does the same (PEP 810).
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any


def offer(room: str, file: str) -> tuple[Callable[[str], Any], list[str]]:
    """`__getattr__` and `__all__` for the package `room`, from the imports that its `__init__.py`, `file`, shows."""
    shown = [node for node in ast.parse(Path(file).read_bytes()).body if isinstance(node, ast.If)]
    imports = [node for block in shown for node in block.body if isinstance(node, ast.ImportFrom)]
    homes = {alias.name: str(node.module) for node in imports for alias in node.names}

    def load(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {room!r} has no attribute {name!r}")
        return getattr(importlib.import_module(homes[name]), name)

    return load, list(homes)
