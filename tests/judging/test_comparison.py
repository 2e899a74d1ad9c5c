"""Several checkpoints on the same faces: what each says is its own, and where they disagree is said."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.checkpoints.novelty import Novelty
from virtus.errors import InputError
from virtus.judging.comparison import (
    MAX_COMPARED,
    NO_CLIPS,
    Agreement,
    Comparison,
    agreement_of,
    compare_paths,
    compare_photo,
    say,
)
from virtus.judging.photo import analyze_photo
from virtus.media.images import load_image
from virtus.results import CheckpointInfo, FaceReport, ImageReport, Outcome, gravest

REAL, FAKE, UNSURE, SMALL = Outcome.REAL, Outcome.FAKE, Outcome.INCONCLUSIVE, Outcome.FACE_TOO_SMALL
NONE = Outcome.NO_FACE
# With a bias of 20 logits every face is fake, of -20 real; with thresholds at 0 and 1 none is anything.
SAYS_REAL = {"temperature": 1.0, "bias": -20.0, "real_below": 0.25, "fake_above": 0.75}
SAYS_FAKE = SAYS_REAL | {"bias": 20.0}
SAYS_NOTHING = SAYS_REAL | {"bias": 0.0, "real_below": 0.0, "fake_above": 1.0}


@pytest.fixture
def detector(make_checkpoint):
    def make(calibration=None, margin=1.3, **options):
        folder = make_checkpoint(own={"calibration": calibration, "margin": margin}, **options)
        return Detector(load_checkpoint(str(folder), precision="float32"))

    return make


@pytest.mark.parametrize(
    ("outcomes", "agreement"),
    [
        ([REAL, REAL], Agreement.AGREE),
        ([FAKE, FAKE, FAKE], Agreement.AGREE),
        ([REAL, FAKE], Agreement.DISAGREE),
        ([REAL, UNSURE, FAKE], Agreement.DISAGREE),
        ([REAL, UNSURE], Agreement.UNDECIDED),
        ([UNSURE, UNSURE], Agreement.UNDECIDED),
        ([FAKE], None),
        ([SMALL, SMALL], None),
        ([], None),
    ],
)
def test_agreement_of_one_face(outcomes, agreement):
    assert agreement_of(outcomes) is agreement


@pytest.mark.parametrize(
    ("outcomes", "words"),
    [
        ({"a": FAKE, "b": FAKE}, "They agree: fake."),
        ({"a": REAL, "b": FAKE}, "They disagree: a says real, b says fake."),
        ({"a": REAL, "b": FAKE, "c": REAL}, "They disagree: a and c say real, b says fake."),
        ({"a": UNSURE, "b": FAKE, "c": REAL}, "They disagree: a cannot tell, b says fake, c says real."),
        ({"a": UNSURE, "b": REAL, "c": UNSURE, "d": UNSURE}, "a, c and d cannot tell, b says real."),
        ({"a": UNSURE, "b": UNSURE}, "None of them can tell."),
        ({"a": FAKE}, "a says fake."),
        ({"a": UNSURE}, "a cannot tell."),
        ({"a": NONE, "b": FAKE}, "b says fake. a found no face."),
        ({"a": NONE, "b": FAKE, "c": FAKE}, "They agree: fake. a found no face."),
        ({"a": SMALL, "b": UNSURE}, "b cannot tell. a found the face too small to be judged."),
        ({"a": SMALL, "b": SMALL}, "There is nothing to compare: the face is too small to be judged."),
    ],
)
def test_agreement_in_words(outcomes, words):
    assert say(outcomes) == words


def comparison_of(*outcomes):
    """From the outcomes of each checkpoint's faces."""
    faces = [tuple(FaceReport((0.0, 0.0, 9.0, 9.0), outcome) for outcome in own) for own in outcomes]
    infos = [CheckpointInfo(name, "local", "0" * 64) for name in "abcd"]
    return Comparison(tuple(ImageReport(gravest(own), i, f) for own, i, f in zip(outcomes, infos, faces, strict=False)))


def test_pictures_that_come_out_alike_may_hide_faces_that_do_not():
    found = comparison_of((FAKE, REAL), (REAL, FAKE))
    assert [report.outcome for report in found.reports] == [FAKE, FAKE]
    assert found.by_face == (Agreement.DISAGREE, Agreement.DISAGREE)
    assert found.agreement is Agreement.DISAGREE


def test_the_picture_is_what_its_least_agreed_face_is():
    assert comparison_of((FAKE, REAL), (FAKE, UNSURE)).agreement is Agreement.UNDECIDED
    assert comparison_of((FAKE, SMALL), (FAKE, SMALL)).agreement is Agreement.AGREE
    assert comparison_of((SMALL,), (SMALL,)).agreement is None
    assert comparison_of((), ()).agreement is None


def test_each_has_its_own_crop_thresholds_and_maps_of_the_same_face(detector, astronaut):
    several = [detector(SAYS_REAL), detector(SAYS_FAKE, margin=1.0, image_size=48), detector(SAYS_NOTHING, seed=1)]
    found = compare_photo(several, load_image(astronaut), methods=["rollout", "gradcam"])
    faces = [report.faces[0] for report in found.reports]
    assert [face.outcome for face in faces] == [REAL, FAKE, UNSURE]
    assert found.by_face == (Agreement.DISAGREE,)
    assert len({face.box_xyxy for face in faces}) == 1
    assert [round(face.crop.margin, 1) for face in faces] == [1.3, 1.0, 1.3]
    assert [[one.heatmap.shape for one in face.explanations] for face in faces] == [
        [(4, 4)] * 2,
        [(6, 6)] * 2,
        [(4, 4)] * 2,
    ]
    assert [report.checkpoint for report in found.reports] == [one.checkpoint.info for one in several]


def test_each_report_is_what_the_checkpoint_says_alone(detector, astronaut):
    photo = load_image(astronaut)
    several = [detector(), detector(SAYS_FAKE, margin=1.8, seed=1)]
    together = compare_photo(several, photo, stability=True)
    alone = [analyze_photo(one, photo, stability=True) for one in several]
    assert [report.to_json() for report in together.reports] == [report.to_json() for report in alone]


def test_labels_are_read_by_each_checkpoints_own_names(detector, astronaut):
    """The same weights with the names of their classes changed round: what is fake for one is real for the other."""
    several = [detector(), detector(labels=("Fake", "Real"))]
    one, other = (report.p_fake for report in compare_photo(several, load_image(astronaut)).reports)
    assert one == pytest.approx(1 - other, abs=1e-6)
    assert one != pytest.approx(0.5, abs=1e-3)


def test_a_whole_picture_is_one_face(detector, make_image):
    found = compare_photo([detector(SAYS_REAL), detector(SAYS_FAKE)], make_image(), whole=True)
    assert found.by_face == (Agreement.DISAGREE,)


@pytest.fixture
def of_pictures(make_checkpoint):
    """A detector of whole pictures, which finds each fake."""
    folder = make_checkpoint(own={"calibration": SAYS_FAKE, "judges": "pictures"}, seed=1)
    return Detector(load_checkpoint(str(folder), precision="float32"))


def test_one_that_judges_whole_pictures_says_so_of_a_photo_without_a_face(detector, of_pictures, make_image):
    found = compare_photo([detector(SAYS_REAL), of_pictures], make_image())
    assert [report.outcome for report in found.reports] == [NONE, FAKE]
    assert (found.by_face, found.agreement) == ((None,), None)
    assert found.reports[1].faces[0].box_xyxy == (0, 0, 64, 48)
    assert found.to_json()["reports"][1]["faces"][0]["whole_image"] is True
    assert "found no face." in found.in_words(0)


def test_one_that_judges_whole_pictures_stands_beside_every_face(detector, of_pictures, astronaut):
    photo = load_image(astronaut)
    twice = Image.new("RGB", (2 * photo.width, photo.height))
    for left in (0, photo.width):
        twice.paste(photo, (left, 0))
    found = compare_photo([of_pictures, detector(SAYS_REAL)], twice)
    assert [len(report.faces) for report in found.reports] == [1, 2]
    assert found.by_face == (Agreement.DISAGREE,) * 2
    assert found.outcomes(1) == [FAKE, REAL]
    assert "whole_image" not in found.to_json()["reports"][1]["faces"][0]


def test_one_alone_is_compared_with_nothing(detector, make_image):
    found = compare_photo([detector()], make_image(), whole=True)
    assert found.agreement is None
    assert found.reports[0].outcome.judged


def test_many_files_and_one_that_is_no_picture(detector, astronaut, tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"not a picture")
    Image.new("RGB", (200, 200)).save(tmp_path / "wall.png")
    files = [astronaut, tmp_path / "broken.jpg", tmp_path / "wall.png"]
    found = list(compare_paths([detector(SAYS_REAL), detector(SAYS_FAKE)], files))
    assert [one.agreement for one in found] == [Agreement.DISAGREE, None, None]
    assert [[report.path for report in one.reports] for one in found] == [[str(file)] * 2 for file in files]
    assert [found[1].reports[0].outcome, found[2].reports[1].outcome] == ["unreadable", "no_face"]


def test_json_says_of_each_face_whether_they_agree(detector, make_image):
    several = [detector(SAYS_REAL), detector(SAYS_FAKE)]
    row = json.loads(json.dumps(compare_photo(several, make_image(), whole=True, methods=["evidence"]).to_json()))
    assert (row["path"], row["agreement"], row["by_face"]) == (None, "disagree", ["disagree"])
    assert [report["faces"][0]["outcome"] for report in row["reports"]] == ["real", "fake"]
    assert np.shape(row["reports"][0]["faces"][0]["explanations"][0]["heatmap"]) == (4, 4)
    plain = compare_photo(several, make_image(), whole=True).to_json()
    assert "explanations" not in plain["reports"][0]["faces"][0]


def test_the_same_one_twice_is_refused(detector, make_image):
    with pytest.raises(InputError, match="was named twice"):
        compare_photo([detector(), detector()], make_image(), whole=True)


def test_the_same_one_in_two_folders_is_refused(detector, copy_checkpoint, make_image):
    copy = Detector(
        load_checkpoint(str(copy_checkpoint(own={"calibration": None, "margin": 1.3})), precision="float32")
    )
    with pytest.raises(InputError, match="are the same checkpoint"):
        compare_photo([detector(seed=1), detector(), copy], make_image(), whole=True)


def test_the_same_weights_with_another_margin_or_calibration_are_not_the_same(detector, make_image):
    several = [detector(), detector(margin=1.8), detector(SAYS_REAL)]
    assert len(compare_photo(several, make_image(), whole=True).reports) == 3


def test_the_same_weights_for_faces_and_for_whole_pictures_are_not_the_same(detector, make_checkpoint, astronaut):
    of_pictures = Detector(load_checkpoint(str(make_checkpoint(own={"judges": "pictures"})), precision="float32"))
    found = compare_photo([detector(), of_pictures], load_image(astronaut))
    assert [bool(report.faces[0].whole_image) for report in found.reports] == [False, True]


def test_the_same_weights_with_another_novelty_are_not_the_same(detector, make_image):
    """Nor where only the token differs that is looked at."""
    known = Novelty(1, torch.zeros(32), torch.eye(32), 2.5)
    several = [None, known, replace(known, token="class")]
    assert len(compare_photo([*_knowing(detector(), several)], make_image(), whole=True).reports) == 3
    with pytest.raises(InputError, match="are the same checkpoint"):
        compare_photo([*_knowing(detector(), [known, replace(known, num_pictures=9)])], make_image())


def _knowing(detector, novelties):
    """The same checkpoint with each of these, by names of their own."""
    checkpoint = detector.checkpoint
    for number, novelty in enumerate(novelties):
        info = replace(checkpoint.info, name=str(number))
        yield Detector(replace(checkpoint, info=info, novelty=novelty))


def test_too_many_and_none_are_refused_before_a_file_is_read(detector, tmp_path):
    with pytest.raises(InputError, match=f"Compare 2 to {MAX_COMPARED}"):
        compare_paths([detector(seed=seed) for seed in range(MAX_COMPARED + 1)], [tmp_path / "none.jpg"])
    with pytest.raises(InputError, match="0 checkpoints"):
        compare_paths([], [])


def test_a_clip_is_refused_in_a_sentence(detector, tmp_path):
    (tmp_path / "clip").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0")
    clips = [tmp_path / "clip.mp4", tmp_path / "clip"]
    for found in compare_paths([detector(SAYS_REAL), detector(SAYS_FAKE)], clips):
        assert {report.reason for report in found.reports} == {NO_CLIPS}


def test_whatever_reading_raises_ends_no_scan(detector, astronaut):
    class Broken:
        def read(self):
            raise RuntimeError("the archive is cut off")

        def __str__(self):
            return "a.zip/one.jpg"

    several = [detector(SAYS_REAL), detector(SAYS_FAKE)]
    broken, whole = compare_paths(several, [Broken(), astronaut])
    assert broken.reports[1].path == "a.zip/one.jpg"
    assert "the archive is cut off" in broken.reports[1].reason
    assert whole.agreement is Agreement.DISAGREE
    assert whole.reports[0].faces[0].crop is None
