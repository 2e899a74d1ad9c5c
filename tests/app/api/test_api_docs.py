"""docs/api.md says what there is, and its examples run."""

import inspect
import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from pydantic import TypeAdapter

from tests.support.api_tables import ROWS, renewed, section
from tests.support.clips import scene, write_clip
from virtus.app.api.answers import BatchReport, CompareAnswer, ExplainAnswer
from virtus.app.api.endpoints import ENDPOINTS, endpoint_functions
from virtus.app.visitors.detectors import Detectors
from virtus.provenance.findings import Provenance
from virtus.results import FaceReport, Faithfulness, ImageReport
from virtus.schema import row_type
from virtus.video.report import VideoReport

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^##+ (\S+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
EXAMPLES = re.findall(r"^```(python|sh)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
NAMES = [f"{number}-{language}" for number, (language, _) in enumerate(EXAMPLES)]


def rows(section):
    """The cells of a section's first table, without its head."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def strict(schema):
    """The same, where a key that is not named is wrong."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return {name: strict(one) for name, one in schema.items()} | closed


def test_every_endpoint_is_documented_and_every_documented_one_is_there():
    sections = [name for name in SECTIONS if name.startswith("/")]
    assert sections == re.findall(r"^\| \[`(/\w+)`\]", TEXT, re.MULTILINE)
    assert set(sections) == {f"/{name}" for name in ENDPOINTS}


@pytest.mark.parametrize("name", ENDPOINTS)
def test_its_parameters_and_defaults_are_those_of_the_function(name):
    function = endpoint_functions(Detectors())[name]
    parameters = inspect.signature(function).parameters.values()
    defaults = {one.name: "" if one.default is one.empty else f"`{json.dumps(one.default)}`" for one in parameters}
    assert {row[0].strip("`"): row[2] for row in rows(f"/{name}")} == defaults
    about = inspect.getdoc(function)
    assert all(f"\n    {parameter}: " in about for parameter in defaults)  # on one line each: Gradio reads no more


def test_its_tables_of_answers_are_those_of_the_types():
    assert renewed(TEXT) == TEXT, "run python -m tests.support.api_tables"
    answered = [json_types(function) for function in endpoint_functions(Detectors()).values()]
    named = set(re.findall(r"'title': '(\w+)', 'type': 'object'", str(answered))) - {"FileData", "FileDataMeta"}
    assert named == {row.__name__ for row in ROWS} - {"ComparedReport"}  # which stands inline


def test_a_field_with_a_line_in_its_docstring_has_a_row_in_the_table():
    @dataclass(frozen=True)
    class Aged(FaceReport):
        """A face with one field more.

        Attributes:
            age_years: how old it looks; None where it does not show.
        """

        age_years: float | None = None

    assert "| `age_years` | number or null | how old it looks; null where it does not show |" in section(Aged)


def json_types(function):
    answer = inspect.signature(function).return_annotation
    return TypeAdapter(answer).json_schema(mode="serialization")


@pytest.mark.parametrize("name", ["one.jpg", "two.png", "none.png", "text.jpg"])
def test_real_answers_are_of_the_types(server, photos, name):
    import jsonschema

    client = Client(server.url, verbose=False)
    photo = handle_file(str(photos[name]))
    report = client.predict(photo, stability=name == "one.jpg", api_name="/analyze")
    jsonschema.validate(report, strict(TypeAdapter(row_type(ImageReport)).json_schema()))
    explained, *_ = client.predict(photo, method="rollout", api_name="/explain")
    jsonschema.validate(explained, strict(TypeAdapter(row_type(ExplainAnswer)).json_schema()))
    said = client.predict(photo, api_name="/provenance")
    jsonschema.validate(said, strict(TypeAdapter(row_type(Provenance)).json_schema()))


def test_real_batches_are_of_the_types(server, photos):
    import jsonschema

    given = [handle_file(str(photos[name])) for name in ("one.jpg", "none.png", "text.jpg")]
    found = Client(server.url, verbose=False).predict(given, api_name="/batch")
    types = tuple[list[row_type(BatchReport)], dict[str, int]]
    jsonschema.validate(list(found), strict(TypeAdapter(types).json_schema()))


def test_real_comparisons_are_of_the_type(server, photos, opposites):
    import jsonschema

    client = Client(server.url, verbose=False)
    for name in ("one.jpg", "none.png"):
        models = [*opposites, "agasta/virtus"]
        found = client.predict(handle_file(str(photos[name])), models=models, method="rollout", api_name="/compare")
        jsonschema.validate(found, strict(TypeAdapter(row_type(CompareAnswer)).json_schema()))


def test_a_tested_map_is_of_its_type():
    import jsonschema

    tested = Faithfulness(0.1, 0.2, 0.03, True, 99).to_json()
    jsonschema.validate(tested, strict(TypeAdapter(row_type(Faithfulness)).json_schema()))


def test_gradios_own_description_has_the_types(server):
    info = Client(server.url, verbose=False).view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(info) == {f"/{name}" for name in ENDPOINTS}
    (report,) = info["/analyze"]["returns"]
    photo, clip = report["type"]["anyOf"]
    assert "p_fake" in photo["properties"]["faces"]["items"]["properties"]
    assert "p_fake" in clip["properties"]["persons"]["items"]["properties"]


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    pictures = [scene(("hopper", at, 200)) for at in (0, 4)]
    return write_clip(tmp_path_factory.mktemp("clip") / "own.mp4", pictures, codec="libx264")


def test_real_answers_on_clips_are_of_the_type(server, clip, photos):
    import jsonschema

    client = Client(server.url, verbose=False)
    for path in (clip, photos["text.jpg"]):
        found = client.predict(handle_file(str(path)), explain=True, api_name="/video")
        jsonschema.validate(found, strict(TypeAdapter(row_type(VideoReport)).json_schema()))


@pytest.mark.parametrize(("language", "code"), EXAMPLES, ids=NAMES)
def test_an_example_runs(server, guarded, clip, language, code, capsys):
    code = code.replace("clip.mp4", str(clip))
    code = code.replace("http://127.0.0.1:7860", server.url).replace("http://127.0.0.1:7861", guarded.url)
    if language == "python":
        with ThreadPoolExecutor(1) as thread:  # in that of the tests a browser's loop may run
            thread.submit(exec, compile(code, "docs/api.md", "exec"), {}).result()
        assert capsys.readouterr().out
    else:
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", code], cwd=ROOT, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
        assert re.search(r"event: complete\ndata: \[[{[]", done.stdout)
