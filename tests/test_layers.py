"""Who may import whom: each module only what stands before it, and the heavy libraries only where they belong."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = [
    "errors", "results",
    "record_form", "record",
    "labels", "tag_claims", "file_parts", "heif_items", "rgb", "images",
    "parallel",
    "archives", "provenance", "provenance_html",
    "metrics", "perturbations", "cautions", "annotate",
    "data_uris", "overlay",
    "preprocessing", "hardware", "weights", "hub", "architecture", "classifier", "doctor", "trunk", "calibration",
    "verdict_html", "user_calibrations", "novelty",
    "checkpoints", "card", "boxes", "cascade_nets", "cascade", "faces",
    "detector", "stability", "explain", "nullmaps", "faithfulness",
    "map_html",
    "clip_file", "clip_index", "video", "people",
    "analysis",
    "video_report", "person_verdict", "clip_analysis", "video_html", "filmstrip",
    "comparison",
    "page", "document", "replay",
    "listing",
    "ray_scan",
    "evaluation", "recalibration", "clip_rows", "rows",
    "rows_file", "scanning",
    "comparison_rows",
    "sentences", "gallery", "arguments", "terminal", "ui", "commands",
    "cli", "__main__",
]  # fmt: skip
ONLY_IN = {"gradio": "virtus/ui", "mcp": "virtus/ui", "matplotlib": "nowhere", "pytorch_grad_cam": "virtus/explain"}
ONLY_IN |= {"ray": "virtus/ray_scan", "pyarrow": "virtus/ray_scan"}
FILES = sorted((ROOT / "virtus").rglob("*.py"))


def imported_modules(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module for node in nodes if isinstance(node, ast.ImportFrom)}


def module_of(file: Path) -> str:
    return file.relative_to(ROOT / "virtus").parts[0].removesuffix(".py")


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_modules_import_only_what_stands_before_them(file):
    own = module_of(file)
    imported = {name.split(".")[1] for name in imported_modules(file) if name.startswith("virtus.")}
    if own != "__init__":
        assert {name for name in imported - {own} if ORDER.index(name) > ORDER.index(own)} == set()


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_heavy_libraries_stay_where_they_belong(file):
    found = {name.split(".")[0] for name in imported_modules(file)}
    place = file.relative_to(ROOT).as_posix()
    assert [name for name, home in ONLY_IN.items() if name in found and not place.startswith(home)] == []
    assert "train" not in found
