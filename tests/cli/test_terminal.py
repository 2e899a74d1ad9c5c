"""How commands end early."""

import os
import subprocess
import sys

import pytest

from tests.support.command import ROOT
from virtus.cli.terminal import exit_status

PHOTO = "assets/examples/grace-hopper.jpg"


@pytest.mark.parametrize("words", [["virtus", "provenance", PHOTO], ["train", "recipes"]])
def test_a_reader_that_leaves_is_no_error_to_tell_of(words):
    """As `head` does, once it has its lines."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


def test_a_file_where_a_folder_should_be_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert exit_status(lambda: (tmp_path / "file" / "below").mkdir() or 0, "train") == 2
    assert capsys.readouterr().err == f"train: {tmp_path / 'file' / 'below'} cannot be used (Not a directory).\n"


def test_ctrl_c_is_said_in_a_line(capsys):
    def stopped() -> int:
        raise KeyboardInterrupt

    assert exit_status(stopped, "train") == 130
    assert capsys.readouterr().err == "train: stopped\n"
