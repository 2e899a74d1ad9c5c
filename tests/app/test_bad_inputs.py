"""Some of each family of bad inputs, and some wrong parameters, through the endpoints of a running app."""

import random
from pathlib import Path

import pytest
from gradio_client import Client

from benchmarks.bad_inputs.uploads import through_api, through_parameters
from tests.corpus import make_inputs, write_inputs
from tests.corpus.doors import clean_log, faults
from tests.corpus.names import make_names
from virtus.app.api import ENDPOINTS

SAMPLE = 3  # of each family
REQUESTS = 200


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Family to path to what must come of it."""
    folder, rng = tmp_path_factory.mktemp("corpus"), random.Random(1)
    found = {}
    for family, inputs in make_inputs().items():
        written = write_inputs(folder / family, rng.sample(inputs, SAMPLE))
        found[family] = {str(path): one.expected for path, one in written.items()}
    names = make_names(folder / "names")
    regular = [path for path in names if len(path) < 4000 and Path(path).is_file() and "sparse" not in path]
    return found | {"names": {path: names[path] for path in rng.sample(regular, SAMPLE)}}


def test_every_endpoint_has_one_sound_answer_to_each(server, corpus):
    before = len(server.log.read_text())
    answers = list(through_api(server.url, corpus))
    wrong = {(door, path): faults(expected, answer) for door, path, expected, answer in answers}
    assert {asked: said for asked, said in wrong.items() if said} == {}
    assert {door.split()[1] for door, *_ in answers} == {f"/{name}" for name in ENDPOINTS}
    assert clean_log(server.log.read_text()[before:]) == []
    assert Client(server.url, verbose=False)  # it still answers


def test_wrong_parameters_have_sound_answers_too(server):
    before = len(server.log.read_text())
    answers = list(through_parameters(server.url, lambda requests: random.Random(1).sample(requests, REQUESTS)))
    wrong = {(door, given): faults(expected, answer) for door, given, expected, answer in answers}
    assert {asked: said for asked, said in wrong.items() if said} == {}
    assert {door for door, *_ in answers} == {f"/{name}" for name in ENDPOINTS}
    assert clean_log(server.log.read_text()[before:]) == []
