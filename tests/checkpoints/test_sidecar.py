"""`virtus.json` and the user's calibrations: written in one place, whole or not at all."""

import ast
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from virtus.checkpoints.sidecar import (
    SIDECAR,
    read_calibration,
    read_sidecar,
    read_user_calibration,
    store_calibration,
    store_user_calibration,
    user_file,
    write_sidecar,
)
from virtus.errors import CheckpointError, InputError
from virtus.results import Calibration

ROOT = Path(__file__).parents[2]
HASH = "ab" * 32
OLD, NEW = {"margin": 1.5, "calibration": None}, Calibration(2.0, 0.25, 0.75, fake_above_among=(0.8, 0.9))
KILLED_AT = """
import os, pathlib, signal, sys
from virtus.checkpoints.sidecar import store_calibration
from virtus.results import Calibration

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

{place} = die
store_calibration(pathlib.Path(sys.argv[1]), Calibration(2.0, 0.25, 0.75))
"""
WRITES_FOR_EVER = """
import itertools, pathlib, sys
from virtus.checkpoints.sidecar import read_sidecar, write_sidecar

folder = pathlib.Path(sys.argv[1])
for number in itertools.count():
    write_sidecar(folder, read_sidecar(folder) | {"number": number, "long": [number] * 50_000})
    print(number, flush=True)
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def test_a_calibration_leaves_the_rest_of_the_file(tmp_path):
    assert read_sidecar(tmp_path) == {}
    write_sidecar(tmp_path, OLD | {"novelty": {"block": 2}})
    assert store_calibration(tmp_path, NEW) == tmp_path / SIDECAR
    kept = read_sidecar(tmp_path)
    assert (kept["margin"], kept["novelty"], read_calibration(kept)) == (1.5, {"block": 2}, NEW)
    assert [file.name for file in tmp_path.iterdir()] == [SIDECAR]


@pytest.mark.parametrize("place", ["os.fsync", "pathlib.Path.replace"])
def test_a_writer_that_is_killed_leaves_the_old_file(tmp_path, place):
    write_sidecar(tmp_path, OLD)
    done = subprocess.run([sys.executable, "-c", KILLED_AT.format(place=place), tmp_path], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert read_sidecar(tmp_path) == OLD
    store_calibration(tmp_path, NEW)
    assert read_sidecar(tmp_path)["margin"] == 1.5


def test_a_writer_that_is_killed_at_any_moment_leaves_a_whole_file(tmp_path):
    write_sidecar(tmp_path, OLD)
    command = [sys.executable, "-c", WRITES_FOR_EVER, tmp_path]
    for wait_s in (0.0, 0.013, 0.029, 0.041):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
            writer.stdout.readline()  # it is at work
            time.sleep(wait_s)
            writer.kill()
        kept = read_sidecar(tmp_path)
        assert set(kept["long"]) == {kept["number"]}
        assert kept["margin"] == 1.5


def test_nothing_else_names_the_file_or_writes_it():
    files = {path for room in ("virtus", "train", "benchmarks") for path in (ROOT / room).rglob("*.py")}
    those = {path.relative_to(ROOT).as_posix() for path in files if knows_the_file(ast.parse(path.read_bytes()))}
    assert those == {"virtus/checkpoints/sidecar.py", "virtus/checkpoints/hub.py"}  # the latter fetches it


def knows_the_file(module):
    nodes = list(ast.walk(module))
    return any(isinstance(node, ast.Constant) and node.value == SIDECAR for node in nodes) or any(
        isinstance(node, ast.alias) and node.name == "SIDECAR" for node in nodes
    )


@pytest.mark.parametrize("text", ["", "{", "[1]", "\x00"])
def test_what_cannot_be_read_is_not_written_over(tmp_path, text):
    (tmp_path / SIDECAR).write_text(text)
    with pytest.raises(CheckpointError, match=SIDECAR):
        store_calibration(tmp_path, NEW)
    assert (tmp_path / SIDECAR).read_text() == text


def test_other_weights_and_names_are_not_calibrated_by_it(config):
    one = Calibration(2.0, 0.25, 0.75, bias=-0.5)
    file = store_user_calibration("owner/name@main", HASH, one)
    assert file == user_file("owner/name", HASH)
    assert file.is_relative_to(config)
    assert json.loads(file.read_text())["bias"] == -0.5
    assert read_user_calibration("owner/name", HASH) == one
    assert read_user_calibration("owner/name", "cd" * 32) is None
    assert read_user_calibration("owner/other", HASH) is None


def test_a_folder_that_cannot_be_written_is_one_sentence(config):
    config.write_text("a file, where a folder should be")
    with pytest.raises(InputError, match="cannot be written"):
        store_user_calibration("virtus-fast", HASH, NEW)
    assert read_user_calibration("virtus-fast", HASH) is None
