"""Cautions: pictures and landmarks made so that the answer is known."""

import math
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageFilter

from tests.support.pictures import encode
from virtus.checkpoints import outcome_of
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.faces.cautions import blockiness, blur_width, find_cautions, visible_share, yaw
from virtus.judging.deciding import thresholds_of
from virtus.judging.photo import TOO_CLOSE, analyze_image, analyze_photo
from virtus.judging.stability import jpeg, noise
from virtus.media.images import load_image
from virtus.results import Face, FaceCrop

# Of a head of usual proportions, in the middle of 400 x 400 pixels; millimetres, z towards the camera.
HEAD = np.array([(-31, -36, 0), (31, -36, 0), (0, 0, 28), (-25, 32, 5), (25, 32, 5)], float)


def head(yaw_degrees=0.0, roll_degrees=0.0, at=(200, 200), scale=1.0):
    """The face of a head that is turned and tilted."""
    turn, roll = math.radians(yaw_degrees), math.radians(roll_degrees)
    x, y = HEAD[:, 0] * math.cos(turn) + HEAD[:, 2] * math.sin(turn), HEAD[:, 1]
    across, down = x * math.cos(roll) - y * math.sin(roll), x * math.sin(roll) + y * math.cos(roll)
    points = tuple((float(at[0] + scale * a), float(at[1] + scale * d)) for a, d in zip(across, down, strict=True))
    return Face((120.0, 90.0, 280.0, 310.0), points, 0.99)


@pytest.fixture
def crop(astronaut):
    """A sharp crop of a face as the engine makes it: 1.3 times as wide as the face."""
    return FaceCrop(load_image(astronaut).crop((130, 20, 330, 220)), (130, 20, 330, 220), margin=1.3)


def names(crop, face=None, **options):
    known = {"image_size": (400, 400), "input_side": 224} | options
    return [caution.name for caution in find_cautions(crop, face, **known)]


def test_an_ordinary_face_has_none(crop):
    assert names(crop, head(), jpeg_quality=75) == []


def test_small_is_less_than_half_of_what_the_model_looks_at(crop):
    assert names(crop, input_side=400) == []
    assert names(crop, input_side=402) == ["small"]


@pytest.mark.parametrize("side", [100, 200, 1000])
def test_a_face_out_of_focus_is_said_to_be_at_every_size(crop, side):
    """By 2.5 % of its width, which is 154 of 200 pixels."""
    sharp = crop.image.resize((side, side), Image.Resampling.BICUBIC)
    blurred = sharp.filter(ImageFilter.GaussianBlur(0.025 * side / 1.3))
    grain = jpeg(noise(blurred, 4, seed=0), 85)
    assert names(FaceCrop(sharp, crop.box_xyxy, 1.3), input_side=100) == []
    assert names(FaceCrop(blurred, crop.box_xyxy, 1.3), input_side=100) == ["blurred"]
    assert names(FaceCrop(grain, crop.box_xyxy, 1.3), input_side=100) == ["blurred"]


def test_blur_around_the_face_does_not_count(crop):
    around = crop.image.filter(ImageFilter.GaussianBlur(5))
    around.paste(crop.image.crop((23, 23, 177, 177)), (23, 23))
    assert blur_width(FaceCrop(around, crop.box_xyxy, 1.3)) == pytest.approx(blur_width(crop), rel=0.02)


def test_the_blur_of_an_edge_is_measured_in_widths_of_the_face():
    """Of narrow edges more pixels than their steepest ones are among those that are measured: they seem wider."""
    step = Image.fromarray(np.tile(np.where(np.arange(400) < 200, 60, 190).astype(np.uint8), (400, 1))).convert("RGB")
    edges = [FaceCrop(step.filter(ImageFilter.GaussianBlur(sigma)), (0, 0, 400, 400)) for sigma in (2, 4, 8, 12)]
    widths = [blur_width(edge) for edge in edges]
    assert sorted(widths) == widths
    assert widths[-1] == pytest.approx(12 / 400, rel=0.15)


def test_a_flat_face_is_as_blurred_as_can_be():
    assert blur_width(FaceCrop(Image.new("RGB", (64, 64), "grey"), (0, 0, 64, 64))) == math.inf


def test_the_quality_of_the_file_is_believed(crop):
    assert names(crop, jpeg_quality=39) == ["compressed"]
    assert names(crop, jpeg_quality=40) == []


def test_blocks_are_seen_in_a_copy_that_was_cut_out_and_saved_well(crop):
    spoilt = jpeg(crop.image, 15)
    again = FaceCrop(jpeg(spoilt.crop((3, 5, 200, 200)), 95), (0, 0, 197, 195), 1.3)
    assert "compressed" in names(again)
    assert "compressed" not in names(FaceCrop(jpeg(crop.image, 75), crop.box_xyxy, 1.3))


def test_blockiness_by_hand():
    # A step of 8 grey levels after each 8 pixels, both ways, and flat between: there the excess is 8, beside it -4, the
    # median 0. The mean step is 8 * 15 / 127, and a half keeps flat pictures from dividing by 0.
    steps = 8 * (np.indices((128, 128)) // 8).sum(0)
    image = Image.fromarray(steps.astype(np.uint8)).convert("RGB")
    assert blockiness(image) == pytest.approx(8 / (8 * 15 / 127 + 0.5), rel=0.02)
    assert blockiness(Image.new("RGB", (128, 128))) == 0
    assert blockiness(Image.new("RGB", (20, 20))) == 0


def test_blocks_of_a_large_picture_are_those_of_its_middle():
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 45, 3), dtype=np.uint8))
    large = jpeg(noise.resize((900, 801)), 15)
    middle = large.crop((194, 144, 706, 657))
    assert blockiness(large) == blockiness(middle) > 0


@pytest.mark.parametrize(("degrees", "turned"), [(0, False), (30, False), (-40, False), (55, True), (-60, True)])
@pytest.mark.parametrize("roll", [0, 30, 90, 180])
def test_turned_to_the_side_however_the_head_is_tilted(crop, degrees, turned, roll):
    assert ("turned_away" in names(crop, head(degrees, roll))) is turned


def test_yaw_grows_with_the_turn():
    assert yaw(head(0)) == pytest.approx(0)
    assert yaw(head(45)) == pytest.approx(28 / 62)  # nose 28 sin 45, eyes 62 cos 45 apart
    assert yaw(head(-45)) == pytest.approx(-28 / 62)
    assert yaw(Face((0, 0, 9, 9), ((5, 5),) * 5, 0.9)) == pytest.approx(-0.5)  # a point: nothing to divide by


def test_a_face_that_the_frame_cuts(crop):
    assert "cut_off" not in names(crop, head(), image_size=(400, 400))
    assert "cut_off" in names(crop, head(at=(200, 380)), image_size=(400, 400))
    assert "cut_off" in names(crop, head(at=(390, 200), roll_degrees=20), image_size=(400, 400))


def test_the_visible_share_by_hand():
    assert visible_share(head(), (400, 400)) == 1
    assert visible_share(head(at=(0, 200)), (400, 400)) == pytest.approx(0.5, abs=0.03)
    shares = [visible_share(head(at=(200, y)), (400, 400)) for y in (250, 300, 350, 400, 600)]
    assert all(high >= low for high, low in pairwise(shares))
    assert shares[-1] == 0


def test_a_whole_picture_gets_only_what_needs_no_landmarks(crop):
    whole = FaceCrop(crop.image.filter(ImageFilter.GaussianBlur(6)), crop.box_xyxy)
    assert names(whole, None, image_size=whole.image.size, jpeg_quality=10) == ["blurred", "compressed"]


def test_each_sentence_says_what_to_do(crop):
    tiny = FaceCrop(crop.image.resize((60, 60)).filter(ImageFilter.GaussianBlur(3)), (0, 0, 60, 60), 0.9)
    known = {"image_size": (400, 400), "input_side": 224, "jpeg_quality": 5, "number": 2, "count": 3}
    known |= {"readable_share": 0.8}
    found = find_cautions(tiny, head(60, at=(200, 390)), **known)
    expected = ["small", "blurred", "compressed", "turned_away", "cut_off", "too_close", "incomplete", "several_faces"]
    assert [one.name for one in found] == expected
    assert all(any(verb in one.sentence for verb in ("Use", "Look", "Save")) for one in found)
    assert "3 faces" in found[-1].sentence
    assert "number 2" in found[-1].sentence


@pytest.fixture
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


def test_a_report_carries_them_face_by_face(detector, astronaut):
    one = load_image(astronaut).crop((100, 0, 400, 300))
    photo = Image.new("RGB", (520, 300))
    photo.paste(one, (0, 0))
    photo.paste(one.resize((200, 200)).filter(ImageFilter.GaussianBlur(4)), (310, 50))
    found = [[caution.name for caution in face.cautions] for face in analyze_photo(detector, photo).faces]
    assert found == [["several_faces"], ["blurred", "several_faces"]]


@pytest.mark.parametrize(("box", "is_too_close"), [((185, 55, 263, 180), True), ((160, 55, 290, 180), False)])
def test_of_a_picture_cut_too_close_to_the_face_p_counts_for_nothing(detector, astronaut, box, is_too_close):
    """Of the fakes that it decided on, the bundled checkpoint called a quarter real."""
    report = analyze_photo(detector, load_image(astronaut).crop(box))
    (face,), bounds = report.faces, thresholds_of(report, 0)
    assert ("too_close" in [caution.name for caution in face.cautions]) == is_too_close
    assert (face.reason == TOO_CLOSE) == (face.outcome == "inconclusive") == is_too_close
    assert ({outcome_of(p, bounds) for p in (0.0, 1.0)} == {"inconclusive"}) == is_too_close


def test_the_files_own_quality_reaches_the_report(detector, astronaut):
    photo = load_image(astronaut)
    report = analyze_image(detector, encode(photo, "JPEG", quality=20))
    assert report.to_json()["faces"][0]["cautions"] == ["compressed"]
    assert analyze_image(detector, encode(photo, "JPEG", quality=80)).to_json()["faces"][0]["cautions"] == []


def test_that_the_file_is_cut_off_reaches_the_report(detector, astronaut):
    data = encode(load_image(astronaut), "JPEG", quality=90)
    (face,) = analyze_image(detector, data[:-2000]).to_json()["faces"]
    assert face["cautions"] == ["incomplete"]
    empty = encode(Image.effect_noise((200, 200), 20), "JPEG")
    report = analyze_image(detector, empty[: int(0.9 * len(empty))])
    assert report.to_json()["reason"].startswith("The file is cut off, and only the part that is there could be search")


def test_a_whole_image_is_no_face_beside_others(detector, astronaut):
    report = analyze_photo(detector, load_image(astronaut), whole=True)
    assert [caution.name for caution in report.faces[0].cautions] == []
