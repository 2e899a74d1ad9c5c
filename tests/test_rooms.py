"""The rooms: who may import whom, by which names only, and where the heavy libraries belong."""

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = """
virtus
virtus.media virtus.drawing
virtus.faces
virtus.models
virtus.checkpoints
virtus.explain
virtus.judging
virtus.video virtus.provenance
virtus.html
virtus.reports virtus.scans
virtus.scans.ray
virtus.app.visitors
virtus.app.widgets
virtus.app.maps
virtus.app.analyze virtus.app.explore virtus.app.batch virtus.app.video virtus.app.compare virtus.app.about \
virtus.app.api
virtus.app
virtus.app.server.guards
virtus.app.server
virtus.cli
train.config
train.data
train.pictures
train.checks
train.fit
train.report
train.publish
train.cli
train
benchmarks
"""
"""A room may import from the lines above its own; rooms of one line do not import each other."""
RANKS = {room: rank for rank, line in enumerate(ORDER.split("\n")) for room in line.split()}
ONLY_IN = {
    "gradio": "virtus/app",
    "mcp": "virtus/app/api",
    "ray": "virtus/scans/ray",
    "pyarrow": "virtus/scans/ray",
    "matplotlib": "train/report",
    "pytorch_grad_cam": "virtus/explain/cams.py",
}
MAX_MODULES, MAX_LINES = 15, 350
FILES = [path for folder in ("virtus", "train", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
DOORS = {
    "virtus/__init__.py",
    "virtus/__main__.py",
    "virtus/app/__init__.py",
}  # what stands at an outer door leads anywhere


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def dotted(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def room_of(module: str) -> str:
    """The longest room that holds it."""
    return max((room for room in RANKS if f"{module}.".startswith(f"{room}.")), key=len, default="")


@cache
def imports_of(file: Path) -> list[tuple[str, str]]:
    """(module, name) of all its imports, those inside functions too; name is "" for `import module`."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    plain = [(alias.name, "") for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return plain + [
        (node.module, alias.name) for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names
    ]


def offered_by(room: str) -> set[str]:
    door = ROOT.joinpath(*room.split("."), "__init__.py")
    return {name for module, name in imports_of(door) if module.startswith(f"{room}.")}


def home_of(module: str, name: str) -> str:
    """The room that an import leads to: `from virtus import labels` leads to the module, not to the package."""
    return room_of(f"{module}.{name}" if (ROOT / Path(*module.split("."), f"{name}.py")).exists() else module)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_room_imports_from_rooms_below_it_by_the_names_that_they_offer(file):
    own = room_of(dotted(file))
    if name_of(file) in DOORS:
        return
    foreign = [(m, n) for m, n in imports_of(file) if home_of(m, n) not in ("", own) and (own, m) != (m, own)]
    above = [m for m, n in foreign if RANKS[home_of(m, n)] >= RANKS[own]]
    assert above == [], "these stand above or beside it"
    if own not in ("virtus", "train", "benchmarks") or foreign:
        deep = [(m, n) for m, n in foreign if home_of(m, n) not in ("virtus", "train") and n not in offered_by(m)]
        assert deep == [], "these are not offered by the room's __init__.py"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_heavy_libraries_stay_where_they_belong(file):
    libraries = {module.split(".")[0] for module, _ in imports_of(file)}
    place = name_of(file)
    homes = {name: home for name, home in ONLY_IN.items() if name in libraries}
    assert [name for name, home in homes.items() if not place.startswith((home, "benchmarks"))] == []
    assert not (place.startswith("virtus") and libraries & {"train", "benchmarks"})


def modules_in_circles(graph: dict[str, set[str]]) -> set[str]:
    """What is left when all that imports nothing that is left has been taken away, again and again."""
    while leaves := {module for module, imported in graph.items() if not imported & set(graph)}:
        graph = {module: imported for module, imported in graph.items() if module not in leaves}
    return set(graph)


def test_no_two_modules_import_each_other_not_even_inside_functions():
    modules = {dotted(file): file for file in FILES if file.name != "__init__.py"}
    graph = {
        module: {target for m, n in imports_of(file) for target in (m, f"{m}.{n}") if target in modules} - {module}
        for module, file in modules.items()
    }
    assert modules_in_circles(graph) == set()
    assert modules_in_circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == {"a", "b", "c"}  # the search itself


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=name_of)
def test_a_folder_is_a_room_of_at_most_fifteen_modules_with_a_sentence_at_its_door(folder):
    assert len([file for file in folder.glob("*.py") if file.name != "__init__.py"]) <= MAX_MODULES
    sentence = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
    assert (sentence or "").split("\n")[0].endswith(".")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_no_file_is_longer_than_can_be_read_at_once(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_LINES


def classes_of(file: Path) -> set[str]:
    return {
        node.name for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.ClassDef)
    }


def test_no_two_classes_have_one_name():
    names = [name for file in FILES for name in classes_of(file)]
    assert {name for name in names if names.count(name) > 1} == set()


@pytest.mark.parametrize("room", sorted(room for room in RANKS if room not in ("virtus", "train", "benchmarks")))
def test_a_door_offers_what_others_use(room):
    used = {
        name
        for file in [*FILES, ROOT / "app.py"]
        if room_of(dotted(file)) != room
        for m, name in imports_of(file)
        if m == room
    }
    assert offered_by(room) - used - {name for _, name in imports_of(ROOT / "virtus" / "__init__.py")} == set()
