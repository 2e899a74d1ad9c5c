"""A fuzzer over everything that reads a stranger's bytes: for longer with more `max_examples`, not derandomized."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import fuzzing
from virtus.provenance import credentials

short = settings(
    max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")  # Pillow's, of damage


@pytest.fixture(autouse=True)
def _no_reader_of_credentials(monkeypatch):
    monkeypatch.setattr(credentials, "can_read", lambda: False)  # would start a process for each


@short
@given(fuzzing.pictures())
def test_damaged_pictures(data):
    fuzzing.check_picture(data)


@short
@given(fuzzing.any_arrays())
def test_arrays(array):
    fuzzing.check_source(array)


@short
@given(st.data())
def test_modes(data):
    fuzzing.check_any_mode(data)


@short
@given(fuzzing.pictures())
def test_origins(data):
    fuzzing.check_origin(data)


@short
@given(fuzzing.clips())
def test_clips(data):
    fuzzing.check_clip(data)


@short
@given(data=fuzzing.zips())
def test_zips(tmp_path_factory, data):
    fuzzing.check_zip(data, tmp_path_factory.getbasetemp() / "fuzzed.zip")
