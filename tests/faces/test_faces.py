import numpy as np
import pytest
from PIL import Image

from virtus.faces import find
from virtus.faces.find import _shrunk, crop_face, find_faces, whole_image
from virtus.media.images import load_image
from virtus.results import Face

LANDMARKS = ((0.0, 0.0),) * 5
TURNS = {
    0: None,
    1: Image.Transpose.ROTATE_270,  # turned clockwise once: one counter-clockwise turn makes it upright
    2: Image.Transpose.ROTATE_180,
    3: Image.Transpose.ROTATE_90,
}


def coordinates(width: int, height: int) -> Image.Image:
    """Each pixel says where it is: red is x, green is y."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.dstack([x, y, 0 * x]).astype(np.uint8))


@pytest.mark.parametrize(
    ("box", "margin", "expected", "reached"),
    [
        ((40, 30, 60, 50), 1.5, (35, 25, 65, 55), 1.5),
        ((40, 30, 60, 40), 1.5, (35, 20, 65, 50), 1.5),  # the longer side counts
        ((0, 0, 20, 20), 1.5, (0, 0, 30, 30), 1.5),  # shifted at the border, not padded
        ((90, 60, 100, 80), 1.5, (70, 50, 100, 80), 1.5),
        ((10, 0, 90, 80), 1.5, (10, 0, 90, 80), 1.0),  # never larger than the picture's shorter side
        ((0, 0, 100, 80), 1.3, (10, 0, 90, 80), 0.8),
    ],
)
def test_the_one_crop_by_hand(box, margin, expected, reached):
    crop = crop_face(coordinates(100, 80), Face(box, LANDMARKS, 1.0), margin=margin)
    assert crop.box_xyxy == expected
    assert crop.margin == pytest.approx(reached)
    assert crop.image.getpixel((0, 0)) == (expected[0], expected[1], 0)
    assert crop.image.size == (expected[2] - expected[0], expected[3] - expected[1])


def test_a_crop_is_turned_upright():
    crop = crop_face(coordinates(100, 80), Face((40, 30, 60, 50), LANDMARKS, 1.0, quarter_turns=1), margin=1.0)
    # Counter-clockwise once: what was the upper right corner is now the upper left one.
    assert crop.image.getpixel((0, 0)) == (59, 30, 0)


def test_the_whole_image_is_a_crop_without_a_margin():
    crop = whole_image(coordinates(100, 80))
    assert (crop.box_xyxy, crop.margin, crop.image.size) == ((0, 0, 100, 80), None, (100, 80))


def part_of_face(photo, left, top, right, bottom):
    """What lies between these shares of the sides of a photo's face; and the face as it is in the whole photo."""
    (face,) = find_faces(photo)
    x, y = face.box_xyxy[:2]
    box = [x + left * face.width, y + top * face.height, x + right * face.width, y + bottom * face.height]
    return photo.crop(tuple(map(round, box))), face, np.round(box[:2])


@pytest.mark.parametrize("cut", [0.05, 0.1, 0.15])
@pytest.mark.parametrize("turns", [0, 1])
def test_a_face_that_fills_the_picture_is_found(astronaut, cut, turns):
    """Cut by a tenth of the face on each side, all four examples were told to have none."""
    tight, whole, corner = part_of_face(load_image(astronaut), cut, cut, 1 - cut, 1 - cut)
    (face,) = find_faces(tight.transpose(TURNS[turns]) if turns else tight)
    assert face.quarter_turns == turns
    assert face.box_xyxy == (0, 0, *(tight.size[::-1] if turns else tight.size))
    if not turns:
        assert np.array(face.landmarks) == pytest.approx(np.array(whole.landmarks) - corner, abs=0.03 * whole.width)


@pytest.mark.parametrize("box", [(0.3, 0.35, 0.7, 0.75), (0, 0.2, 0.5, 0.5), (0.2, 0.6, 0.8, 1)])
def test_a_part_of_a_face_is_none(astronaut, box):
    """A nose, an eye, a mouth: with room around, the finder imagines the rest outside."""
    part, *_ = part_of_face(load_image(astronaut), *box)
    assert find_faces(part.resize((200, 200))) == []


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_face_is_found_and_made_upright_in_every_turn(astronaut, turns):
    upright = load_image(astronaut).crop((0, 0, 512, 400))
    photo = upright.transpose(TURNS[turns]) if turns else upright
    (face,) = find_faces(photo)
    assert face.quarter_turns == turns
    left_eye, right_eye, nose, *_ = find_faces(crop_face(photo, face, margin=1.5).image)[0].landmarks
    assert left_eye[0] < right_eye[0]
    assert max(left_eye[1], right_eye[1]) < nose[1]
    x0, y0, x1, y1 = face.box_xyxy
    assert x0 < face.landmarks[2][0] < x1
    assert y0 < face.landmarks[2][1] < y1


def test_several_faces_come_largest_first(astronaut):
    one = load_image(astronaut).crop((100, 0, 400, 300))
    photo = Image.new("RGB", (500, 300), "grey")
    photo.paste(one.resize((180, 180)), (0, 60))
    photo.paste(one, (200, 0))
    faces = find_faces(photo)
    assert len(faces) == 2
    assert faces[0].area > faces[1].area
    assert faces[0].box_xyxy[0] > 200


def test_a_small_face_in_a_large_photo_is_found_at_the_second_look(astronaut):
    photo = Image.new("RGB", (2000, 1500), "grey")
    photo.paste(load_image(astronaut).crop((100, 0, 400, 300)).resize((150, 150)), (900, 700))
    (face,) = find_faces(photo, min_side=0)
    assert 900 < face.box_xyxy[0] < face.box_xyxy[2] < 1050


def test_faces_below_the_least_side_are_left_out(astronaut):
    photo = load_image(astronaut).resize((200, 200))
    (face,) = find_faces(photo, min_side=0)
    assert face.width < 48
    assert find_faces(photo) == []


@pytest.mark.parametrize("size", [(300, 200), (20, 20), (24, 600)])
def test_no_face_where_there_is_none(size):
    assert find_faces(Image.new("RGB", size, "grey")) == []


def test_boxes_are_clipped_to_the_picture(astronaut):
    photo = load_image(astronaut).crop((185, 70, 265, 165))
    for face in find_faces(photo, min_side=0):
        x0, y0, x1, y1 = face.box_xyxy
        assert 0 <= x0 < x1 <= photo.width
        assert 0 <= y0 < y1 <= photo.height


def face_seen(confidence, roll_degrees=0):
    """A face of 100 x 100 pixels whose eyes lie above its mouth, turned clockwise by so much."""
    roll = np.deg2rad(roll_degrees)
    points = np.array([(-20, -20), (20, -20), (0, 0), (-15, 20), (15, 20)]) @ np.array(
        [(np.cos(roll), np.sin(roll)), (-np.sin(roll), np.cos(roll))]
    )
    return Face((0.0, 0.0, 100.0, 100.0), tuple((50 + x, 50 + y) for x, y in points), confidence)


@pytest.mark.parametrize(
    ("confidences", "rolls", "turns"),
    [
        ((0.999, 1, 1, 1), (0, 0, 0, 0), 0),  # sure at first sight: the others are not looked at
        ((0.95, 0.98, 0, 0), (0, 0, 0, 0), 0),  # 0.4 of the doubt
        ((0.95, 0.991, 0, 0), (0, 0, 0, 0), 1),
        ((0.95, 0.9999, 0, 0), (0, 90, 0, 0), 0),  # it lies on its side in that turn
        ((0.9999, 0.95, 0, 0), (90, 0, 0, 0), 1),
        ((0.95, 0, 0, 0.9999), (0, 0, 0, -40), 3),  # a tilted head is no other turn
        ((0.9999, 0, 0, 0), (90, 0, 0, 0), 0),  # better than none
        ((0.95, 0.991, 0.995, 0.97), (0, 0, 0, 0), 2),  # of turns the most confident
    ],
)
def test_a_turn_counts_only_if_the_eyes_lie_above_the_mouth_in_it(monkeypatch, confidences, rolls, turns):
    seen = [[face_seen(*pair)] if pair[0] else [] for pair in zip(confidences, rolls, strict=True)]
    monkeypatch.setattr(find, "_detect_first", lambda _photo, looks, turns: (seen[turns], looks))
    (face,) = find_faces(Image.new("RGB", (100, 100)))
    assert face.quarter_turns == turns


@pytest.mark.parametrize(
    ("roll", "order"), [(None, [1, 2, 3]), (90, [1, 2, 3]), (180, [2, 1, 3]), (-90, [3, 2, 1]), (-10, [3, 1, 2])]
)
def test_the_turn_that_makes_a_face_upright_is_tried_first(roll, order):
    faces = [] if roll is None else [face_seen(0.91, 0), face_seen(0.95, roll)]
    assert find._likely_turns(faces) == order


def test_only_where_no_face_is_large_enough_are_smaller_ones_sought():
    first, second = find._looks((1280, 960))
    assert [(look.side, look.smallest < 20) for look in first] == [(512, True), (1024, False)]
    assert [(look.side, look.below) for look in second] == [(look.side, look.smallest) for look in first]
    assert find._looks((400, 20)) == ([], [])


@pytest.mark.parametrize(("size", "smaller", "most"), [((1280, 960), (512, 384), 1), ((700, 903), (397, 512), 2)])
def test_a_picture_is_made_smaller_as_pillow_does_it(astronaut, size, smaller, most):
    photo = load_image(astronaut).resize(size)
    expected = np.asarray(photo.resize(smaller, Image.Resampling.BILINEAR)).astype(int)
    differences = np.abs(np.asarray(_shrunk(photo, smaller)).astype(int) - expected)
    assert differences.max() <= most
    assert differences.mean() < 0.02


def test_four_times_as_large_a_picture_is_averaged_over_whole_pixels_first(make_image):
    photo = make_image(800, 600)
    by_pillow = photo.resize((200, 150), Image.Resampling.BILINEAR, reducing_gap=2.0)
    assert _shrunk(photo, (200, 150)).tobytes() == by_pillow.tobytes()
    assert _shrunk(photo, (201, 150)).size == (201, 150)
