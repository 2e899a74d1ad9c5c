"""Provenance at the doors: beside the verdict, never in it; as HTML; at the command line."""

import json

from tests.support.command import virtus
from tests.support.provenance_files import exif, picture, png_with, with_xmp, xmp
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.html.provenance import provenance_panel
from virtus.judging.photo import analyze_image
from virtus.provenance import Provenance, read_provenance
from virtus.provenance.findings import UNKNOWN, Finding, Kind

SETTINGS = "x\nSteps: 20, Sampler: Euler a, Model: realVis_v5"


def with_comment(jpeg, text):
    """The same JPEG, bit for bit, with EXIF that names a generator."""
    body = exif(comment=b"ASCII\0\0\0" + text.encode()).tobytes()
    return jpeg[:2] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + jpeg[2:]


def test_what_a_file_says_of_itself_does_not_enter_the_verdict(make_checkpoint, astronaut):
    detector = Detector(load_checkpoint(str(make_checkpoint()), device="cpu", precision="float32"))
    plain = astronaut.read_bytes()
    tagged = with_comment(plain, SETTINGS)
    assert [read_provenance(data).known for data in (plain, tagged)] == [False, True]
    first, second = (analyze_image(detector, data, whole=True).to_json() for data in (plain, tagged))
    assert first["faces"][0]["p_fake"] is not None
    assert first == second


def test_the_panel_of_what_is_unknown_is_closed_and_blames_nobody():
    html = provenance_panel(Provenance())
    assert "<details >" in html
    assert "Nothing: origin unknown" in html
    assert UNKNOWN in html
    assert "<li" not in html


def test_the_panel_is_open_where_something_is_known_and_counts_it():
    finding = Finding(Kind.CAMERA, "Camera: Canon", "EXIF Make", "It may.")
    assert "<details open>" in provenance_panel(Provenance((finding,)))
    assert "1 finding, not part of the verdict" in provenance_panel(Provenance((finding,)))
    assert "2 findings, not part of the verdict" in provenance_panel(Provenance((finding, finding)))


def test_texts_of_the_file_are_no_html_in_the_panel():
    attack = "<img src=x onerror=alert(1)>\"'"
    for data in (
        png_with(Software=attack),
        picture("JPEG", exif=exif(Make="<b>", Model=attack)),
        with_xmp(xmp(f"<xmp:CreatorTool><![CDATA[{attack}]]></xmp:CreatorTool>"), "JPEG"),
        png_with(parameters=f"Steps: 1, Sampler: x, Model: {attack}"),
    ):
        html = provenance_panel(read_provenance(data))
        assert "&lt;img src=x onerror" in html
        assert "<img" not in html
        assert "<b>" not in html


def test_the_command_says_it_in_sentences_and_as_json(tmp_path):
    photo = tmp_path / "made.png"
    photo.write_bytes(png_with(parameters=SETTINGS))
    done = virtus("provenance", photo)
    assert done.returncode == 0
    assert "Image generator: AUTOMATIC1111, or a program that writes as it does, model realVis_v5" in done.stdout
    done = virtus("provenance", photo, "--json")
    assert json.loads(done.stdout) == read_provenance(photo.read_bytes()).to_json()


def test_the_command_says_unknown_and_refuses_what_is_no_file(tmp_path):
    photo = tmp_path / "plain.png"
    photo.write_bytes(picture())
    assert virtus("provenance", photo).stdout == UNKNOWN + "\n"
    done = virtus("provenance", tmp_path / "none.png")
    assert (done.returncode, done.stderr) == (2, "virtus: There is no such file. Check the path.\n")
    assert virtus("provenance", "https://example.com/a.png").stderr.startswith("virtus: Addresses are not fetched.")
