import math

import numpy as np
import pytest
from PIL import Image, ImageChops

from virtus.checkpoints.calibration import EVEN
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import InputError
from virtus.faces.find import crop_face, whole_image
from virtus.judging.paths import analyze_paths
from virtus.judging.photo import analyze_image
from virtus.judging.stability import CHANGES, find_stability, jpeg, mirror, rescale, with_stability
from virtus.media.images import load_image
from virtus.results import Face, FaceReport, ImageReport, Outcome

CUTS = ("10 % tighter", "10 % wider")


@pytest.fixture
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


def face_at(left, top, right, bottom, *, quarter_turns=0):
    return Face((left, top, right, bottom), (), 0.99, quarter_turns)


def logit(p):
    return math.log(p / (1 - p))


def between(detector, p, other):
    """The same detector at the prior at which even odds lie half way between two p."""
    shift = -(logit(p) + logit(other)) / 2
    return detector.at_prior(1 / (1 + math.exp(-shift)))


def test_the_interval_holds_the_unchanged_p():
    steady = find_stability(0.9, {"JPEG 75": 0.8, "mirrored": 0.6})
    assert (steady.low, steady.high, steady.flips) == (0.6, 0.9, False)
    assert find_stability(0.5, {"mirrored": 0.499}).flips
    assert not find_stability(0.1, {"mirrored": 0.499}).flips
    assert find_stability(0.1, {"mirrored": 0.5}).flips


def test_every_change_changes_the_crop_and_keeps_the_face(make_image):
    photo, face = make_image(200, 200), face_at(70, 60, 130, 140)
    crop = crop_face(photo, face, margin=1.3)
    for name, change in CHANGES.items():
        changed = change.apply(photo, face, crop)
        if name in CUTS:
            continue
        assert changed.image.size == crop.image.size, name
        assert ImageChops.difference(changed.image, crop.image).getbbox(), name
    tighter, wider = (CHANGES[name].apply(photo, face, crop) for name in CUTS)
    assert [round(cut.margin, 1) for cut in (tighter, crop, wider)] == [1.2, 1.3, 1.4]
    assert [cut.box_xyxy for cut in (tighter, crop, wider)] == [
        (53, 53, 147, 147), (48, 48, 152, 152), (43, 43, 157, 157)
    ]  # fmt: skip


def test_a_turned_face_is_cut_again_upright(make_image):
    photo, face = make_image(200, 200), face_at(70, 60, 130, 140, quarter_turns=1)
    wider = CHANGES["10 % wider"].apply(photo, face, crop_face(photo, face, margin=1.3))
    assert wider.quarter_turns == 1
    assert wider.image.tobytes() == photo.crop(wider.box_xyxy).transpose(Image.Transpose.ROTATE_90).tobytes()


def test_no_wider_than_the_picture(make_image):
    photo, face = make_image(100, 120), face_at(10, 10, 90, 100)
    crop = crop_face(photo, face, margin=1.3)
    assert crop.image.size == (100, 100)
    assert CHANGES["10 % wider"].apply(photo, face, crop) is None
    assert CHANGES["10 % tighter"].apply(photo, face, crop).image.size == (90, 90)


def test_a_whole_picture_is_cut_tighter_alone(make_image):
    photo = make_image(100, 60)
    crop = whole_image(photo)
    assert CHANGES["10 % wider"].apply(photo, None, crop) is None
    tighter = CHANGES["10 % tighter"].apply(photo, None, crop)
    assert (tighter.image.size, tighter.box_xyxy) == ((90, 54), (5, 3, 95, 57))
    assert CHANGES["10 % tighter"].apply(photo, None, whole_image(make_image(1, 1))).image.size == (1, 1)


def test_each_p_is_that_of_its_own_changed_crop(detector, make_image):
    photo = make_image(100, 60)
    report = analyze_image(detector, photo, whole=True, stability=True)
    (face,) = report.faces
    crops = {name: change.apply(photo, None, whole_image(photo)) for name, change in CHANGES.items()}
    alone = {name: detector.predict([crop])[0].p_fake for name, crop in crops.items() if crop is not None}
    assert face.stability.p_by_change == pytest.approx(alone, abs=1e-6)
    assert len(set(alone.values())) == 5


def test_a_flip_is_inconclusive_and_says_under_what(detector, make_image):
    photo = make_image(100, 60)
    (face,) = analyze_image(detector, photo, whole=True, stability=True).faces
    name, far = max(face.stability.p_by_change.items(), key=lambda item: abs(item[1] - face.p_fake))
    unsteady = analyze_image(between(detector, face.p_fake, far), photo, whole=True, stability=True)
    plain = analyze_image(between(detector, face.p_fake, far), photo, whole=True)
    (after,) = unsteady.faces
    assert plain.outcome in (Outcome.REAL, Outcome.FAKE)
    assert (unsteady.outcome, after.outcome, after.stability.flips) == ("inconclusive", "inconclusive", True)
    assert CHANGES[name].done.lower() in after.reason.lower()
    own, other = ("fake", "real") if after.p_fake >= EVEN else ("real", "fake")
    assert after.reason.endswith(f"the same face looks more like a {other} one than a {own} one.")
    assert after.reason[0].isupper()


def test_the_picture_is_as_grave_as_its_steadied_faces(detector, make_image):
    photo = make_image(100, 60)
    (face,) = analyze_image(detector, photo, whole=True, stability=True).faces
    far = max(face.stability.p_by_change.values(), key=lambda p: abs(p - face.p_fake))
    unsteady = between(detector, face.p_fake, far)
    judged = analyze_image(unsteady, photo, whole=True)
    small = FaceReport((0.0, 0.0, 9.0, 9.0), Outcome.FACE_TOO_SMALL)
    again = with_stability(unsteady, photo, ImageReport(Outcome.FAKE, judged.checkpoint, (small, *judged.faces)))
    assert [one.outcome for one in again.faces] == ["face_too_small", "inconclusive"]
    assert again.outcome is Outcome.INCONCLUSIVE
    assert again.faces[0].stability is None


def test_files_are_judged_again_too(detector, make_image, tmp_path):
    make_image(100, 60).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(b"")
    plain = list(analyze_paths(detector, [tmp_path / "a.png", tmp_path / "b.png"], whole=True))
    steady = list(analyze_paths(detector, [tmp_path / "a.png", tmp_path / "b.png"], whole=True, stability=True))
    assert [report.path for report in steady] == [report.path for report in plain]
    assert steady[0].p_fake == pytest.approx(plain[0].p_fake, abs=1e-6)
    assert steady[0].faces[0].stability is not None
    assert (steady[1].outcome, steady[1].reason) == ("unreadable", plain[1].reason)


def test_a_picture_without_a_face_stays_as_it_is(detector):
    photo = Image.new("RGB", (200, 200))
    assert analyze_image(detector, photo, stability=True) == analyze_image(detector, photo)


def test_a_found_face_with_maps(detector, astronaut):
    photo = load_image(astronaut)
    (face,) = analyze_image(detector, photo, methods=["rollout"], stability=True).faces
    assert list(face.stability.p_by_change) == list(CHANGES)
    assert len(face.explanations) == 1


def test_a_detector_at_another_prior_shares_the_checkpoint(detector, make_image):
    rare = detector.at_prior(0.01)
    assert rare.checkpoint is detector.checkpoint
    assert (rare.prior, detector.prior, rare.batch_size) == (0.01, 0.5, detector.batch_size)
    even, shifted = (analyze_image(one, make_image(), whole=True) for one in (detector, rare))
    assert logit(shifted.p_fake) == pytest.approx(logit(even.p_fake) - math.log(99))
    assert (even.prior, shifted.prior) == (0.5, 0.01)
    with pytest.raises(InputError, match="share of fakes"):
        detector.at_prior(1)


def speckled(side: int = 32) -> Image.Image:
    return Image.fromarray(np.random.default_rng(4).integers(0, 256, (side, side, 3), dtype=np.uint8))


def test_jpeg_loses_more_at_lower_quality():
    image = speckled()
    losses = [np.abs(np.asarray(jpeg(image, q), int) - np.asarray(image, int)).mean() for q in (95, 50, 10)]
    assert losses == sorted(losses)
    assert losses[0] < losses[2]


def test_rescaling_keeps_the_size_and_loses_detail():
    image = speckled()
    assert rescale(image, 0.5).size == image.size
    assert np.asarray(rescale(image, 0.25)).std() < np.asarray(rescale(image, 0.5)).std() < np.asarray(image).std()


def test_mirroring_twice_gives_the_picture_back():
    image = speckled()
    assert mirror(image).getpixel((0, 0)) == image.getpixel((31, 0))
    assert mirror(mirror(image)).tobytes() == image.tobytes()
