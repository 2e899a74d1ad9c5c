"""Requests to the API with a parameter of a wrong type, or with a file described otherwise than its upload did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

META = {"_type": "gradio.FileData"}
FILE_TYPES = ("filepath", "list[filepath]")
QUICK = {"/report": {"methods": ""}}  # the test of a map takes seconds, and is the same whatever else is asked
NUMBERS = (-1, 0.5, 2**63, -(2**63) - 1, 10**400, 1e308, float("nan"), float("inf"))
TEXTS = ("", "x" * 5000, "\0", "\ud800", "-1", "nan", "./x", "../../etc", "owner/name@rev", "<b>", "rollout,evidence")
OTHERS = (None, True, False, [], {}, [[[]]], [None], [1, 2], ["rollout"], {"a": 1}, {"path": None}, {"path": [5]})


def wrong_files(path: str) -> list[Any]:
    """An uploaded file, but for one thing; and files that were never uploaded."""
    changes = [{"meta": meta} for meta in (None, 5, "x", [], {}, {"_type": 5}, {"_type": ["gradio.FileData"]})]
    changes += [{"url": url} for url in (5, {}, "http://127.0.0.1:9/x", "file:///etc/passwd", "\ud800")]
    changes += [{"orig_name": name} for name in (5, ["x"], "", "x" * 100_000, "../a\n\0\ud800.jpg")]
    changes += [{"size": size} for size in ("x", -1, 1e300)]
    changes += [{"mime_type": 5}, {"is_stream": 5}, {"self": 1}, {"a": {}}]
    changes += [{"path": other} for other in (path + "\0", "../" * 50, "/etc/passwd", "", "x" * 5000, 5, None, {})]
    whole = {"path": path, "meta": META}
    return [path, [whole, None, 5], {"a": whole}, _nested(whole, 50), *(whole | change for change in changes)]


def wrong_requests(endpoints: Mapping, paths: Mapping[str, str]) -> Iterator[tuple[str, str, dict]]:
    """Endpoint, parameter, and the data of each request: all well but that parameter.

    Args:
        endpoints: as `/gradio_api/info` names and describes them.
        paths: of uploaded files: endpoint, or "" for all others, to the one that it takes.
    """
    for name, endpoint in endpoints.items():
        path = paths.get(name, paths[""])
        kinds = {one["parameter_name"]: one["python_type"]["type"] for one in endpoint["parameters"]}
        sound = {one: _sound(kind, path) for one, kind in kinds.items() if kind in FILE_TYPES} | QUICK.get(name, {})
        for parameter, kind in kinds.items():
            wrong = [*NUMBERS, *TEXTS, *OTHERS, *wrong_files(path)]
            if kind == FILE_TYPES[1]:
                wrong += [[value] for value in wrong]
            yield from ((name, parameter, sound | {parameter: value}) for value in wrong)


def _sound(kind: str, path: str) -> Any:
    file = {"path": path, "meta": META}
    return [file] if kind == FILE_TYPES[1] else file


def _nested(value: Any, depth: int) -> Any:
    return value if depth == 0 else [_nested(value, depth - 1)]
