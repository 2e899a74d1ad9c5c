"""What others start: the Space's front matter, the Dockerfile, the compose file, the container's command."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zlib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.container import context_files, read_dockerfile, words_of
from virtus.checkpoints.bundled import bundled_folder, bundled_names

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")
# The Hub's reference of the settings of a Space.
COLOURS = "red yellow green blue indigo purple pink gray".split()
SETTINGS = "title emoji colorFrom colorTo sdk sdk_version python_version app_file pinned license models tags".split()
MAX_DESCRIPTION = 60
ZERO_GPU_PYTHON = "3.12.12"


@pytest.fixture(scope="module")
def space() -> dict:
    _, front, _ = (ROOT / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    return yaml.safe_load(front)


def requirement_lines(name: str) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines())
    return list(filter(None, lines))


def test_the_space_says_only_what_the_hub_knows(space):
    assert set(space) - {*SETTINGS, "short_description"} == set()
    assert {space["colorFrom"], space["colorTo"]} <= set(COLOURS)
    assert len(space["short_description"]) <= MAX_DESCRIPTION
    assert not space["emoji"].isascii()
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+", model) for model in space["models"])


def test_the_space_gets_a_gradio_and_a_python_that_the_project_takes(space):
    gradio = next(one for one in map(Requirement, requirement_lines("requirements.txt")) if one.name == "gradio")
    assert space["sdk"] == "gradio"
    assert gradio.specifier.contains(space["sdk_version"])
    assert space["python_version"] == ZERO_GPU_PYTHON
    assert (ROOT / space["app_file"]).is_file()


def test_the_image_copies_only_what_is_there_and_not_ignored():
    """A stage alone copies from the other, every other source has to be let through by .dockerignore."""
    known = context_files(ROOT)
    for stage in read_dockerfile(DOCKERFILE):
        for sources in (rest.split()[:-1] for word, rest in stage.steps if word == "COPY"):
            for pattern in () if sources[0].startswith("--from=") else sources:
                assert any(name.match(pattern) or name.is_relative_to(pattern) for name in known), pattern


def test_the_image_holds_no_more_than_it_needs():
    top = {name.parts[0] for name in context_files(ROOT)}
    package = {"virtus", "assets", "README.md", "LICENSE", "pyproject.toml", "setup.py"}
    assert top == package | {"deploy", "requirements.txt", "constraints.txt"}
    assert not any("__pycache__" in name.parts for name in context_files(ROOT))


def test_what_the_image_and_the_wheel_are_made_of_has_the_bundled_checkpoints():
    """The wheel takes all of assets/, and has to stay below what PyPI takes: beyond that, virtus-fast alone."""
    known = {str(name) for name in context_files(ROOT)}
    packed = 0
    for file in (file for name in bundled_names() for file in bundled_folder(name).iterdir()):
        assert file.relative_to(ROOT).as_posix() in known
        packed += len(zlib.compress(file.read_bytes(), 1))
    assert packed < 97e6  # a level less than a wheel's; all else in it has 1.5 MB


def test_torch_and_torchvision_are_picked_out_of_the_requirements():
    """The Dockerfile's grep: if a line of requirements.txt changed its form, the image would take torch twice."""
    pattern = re.search(r"grep -E '([^']+)'", DOCKERFILE)[1]
    assert [re.match(r"\w+", line)[0] for line in REQUIREMENTS.splitlines() if re.match(pattern, line)] == [
        "torch",
        "torchvision",
    ]


def test_the_constraints_pin_a_version_that_fits_of_all_that_is_required():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    required = [Requirement(line) for line in (*requirement_lines("requirements.txt"), *extras)]
    pins = [Requirement(line) for line in requirement_lines("constraints.txt")]
    assert all(re.fullmatch(r"==[\w.]+", str(pin.specifier)) for pin in pins)  # versions alone, no addresses
    versions = {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}
    ours = [one for one in required if one.name != "virtus"]
    assert [
        str(one) for one in ours if not one.specifier.contains(versions.get(canonicalize_name(one.name), "0"))
    ] == []


def test_the_image_runs_as_a_user_and_checks_its_health():
    last = dict(read_dockerfile(DOCKERFILE)[-1].steps)
    assert last["USER"] == "1000"
    assert last["EXPOSE"] == "7860"
    assert words_of(last["HEALTHCHECK"])[0] == "python"
    assert words_of(last["ENTRYPOINT"]) == ["start-virtus"]
    assert os.access(ROOT / "deploy" / "start.sh", os.X_OK)


def test_compose_opens_the_port_to_this_machine_alone_and_gives_no_rights():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    (service,) = compose["services"].values()
    assert service["ports"] == ["127.0.0.1:7860:7860"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [mount.partition(":")[0] for mount in service["volumes"]] == list(compose["volumes"])
    assert set(service["build"]["args"]) <= {name for stage in read_dockerfile(DOCKERFILE) for name in stage.arguments}


def test_the_containers_command_hands_on_options(tmp_path):
    done = _start("--help", tmp_path)  # which ends before it listens
    assert done.returncode == 0, done.stderr
    assert "--auth" in done.stdout


def test_the_containers_command_stops_on_a_checkpoint_that_there_is_not(tmp_path):
    done = _start("--help", tmp_path, VIRTUS_CHECKPOINT=str(tmp_path / "none"))
    assert done.returncode == 1
    assert "refused" in done.stdout
    assert "--auth" not in done.stdout


def test_hadolint_finds_nothing():
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if not hadolint:
        pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("page", ["SECURITY.md", *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))])
def test_the_tests_that_a_page_names_are_there(page):
    named = re.findall(r"\btests/[\w/]+\.py\b", (ROOT / page).read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_every_threat_names_its_tests():
    rows = re.findall(r"^\| (?!what |---)(.+) \|$", (ROOT / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) > 10
    assert [row for row in rows if "`tests/" not in row.split(" | ")[2]] == []


def _start(option, folder, **environment):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "VIRTUS_CHECKPOINT": ""} | environment
    command = ["sh", str(ROOT / "deploy" / "start.sh"), option]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)
