import numpy as np
import pytest
from PIL import Image

from virtus.video.tracking import MAX_LOOKS, SeenFace, looks_of, match_cost, track_people

ANNA, BERTA = np.eye(128, dtype=np.float32)[:2]


def seen(x, looks=ANNA, y=0, side=100):
    return SeenFace((x, y, x + side, y + side), looks)


def mixed(share):
    """Somebody who looks like Anna in all but a share of the colours."""
    return np.sqrt((1 - share) * ANNA + share * BERTA)


def test_one_person_is_followed_through_all_frames():
    assert track_people([[seen(0)], [seen(20)], [seen(50)]]) == [[(0, 0), (1, 0), (2, 0)]]


def test_a_frame_without_the_face_does_no_harm():
    assert track_people([[seen(0)], [], [seen(10)]]) == [[(0, 0), (2, 0)]]


def test_persons_who_cross_are_told_apart_by_their_looks():
    frames = [[seen(x), seen(400 - x, BERTA)] for x in (0, 150, 250, 400)]
    frames[2].reverse()
    assert track_people(frames) == [[(0, 0), (1, 0), (2, 1), (3, 0)], [(0, 1), (1, 1), (2, 0), (3, 1)]]


def test_of_two_who_look_alike_each_is_where_it_was_last():
    assert track_people([[seen(0), seen(300)], [seen(320), seen(20)]]) == [[(0, 0), (1, 1)], [(0, 1), (1, 0)]]


def test_the_pairs_of_a_frame_are_the_least_costly_in_sum():
    """The face at 90 is nearer to the person at 150 than to the one at 0; but then that one must go to 260."""
    first, second = track_people([[seen(0), seen(150)], [seen(90), seen(260)]])
    assert (first, second) == ([(0, 0), (1, 0)], [(0, 1), (1, 1)])


def test_who_leaves_and_comes_back_is_the_same():
    frames = [[seen(0)], [seen(0), seen(500, BERTA)], [seen(500, BERTA)], [seen(500, BERTA)], [seen(30)]]
    assert track_people(frames) == [[(0, 0), (1, 0), (4, 0)], [(1, 1), (2, 0), (3, 0)]]


def test_after_a_cut_another_face_in_the_same_place_is_another_person():
    assert track_people([[seen(0)], [seen(0)], [seen(0, BERTA)], [seen(0)]]) == [[(0, 0), (1, 0), (3, 0)], [(2, 0)]]


def test_who_moved_far_and_grew_must_look_the_more_alike():
    share = 0.11  # distance sqrt(2 - 2 sqrt(0.89)) = 0.3366, over 0.55 that is 0.612
    here, there = seen(0, mixed(share)), seen(300, mixed(share), side=200)
    assert match_cost([seen(0)], here) == pytest.approx(0.3366 / MAX_LOOKS, abs=1e-3)
    # 350 right and 50 down of the centre, in faces of 150: 2.357 of the 3 that are far
    assert match_cost([seen(0)], there) == pytest.approx(0.612 + 0.3 * 0.7857 + 0.15, abs=1e-3)
    assert len(track_people([[seen(0)], [seen(300, mixed(share))]])) == 1
    assert len(track_people([[seen(0)], [seen(300, mixed(0.2))]])) == 2


def test_a_slow_change_of_light_makes_nobody_else():
    frames = [[seen(0, mixed(share))] for share in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    assert len(track_people(frames)) == 1


def test_an_impossible_pair_takes_no_partner_from_a_possible_one():
    frames = [[seen(0), seen(150, BERTA)], [seen(150, ANNA)]]
    assert track_people(frames) == [[(0, 0), (1, 0)], [(0, 1)]]


def test_no_faces_are_no_persons():
    assert track_people([]) == track_people([[], []]) == []


def test_looks_are_shares_of_colours():
    half = Image.new("RGB", (64, 64), "red")
    half.paste("blue", (0, 0, 32, 64))
    red, both = looks_of(Image.new("RGB", (99, 80), "red")), looks_of(half)
    assert red.max() == 1
    assert sorted(both[both > 0]) == pytest.approx([np.sqrt(0.5)] * 2, abs=0.02)
    assert np.linalg.norm(red - both) == pytest.approx(np.sqrt(2 - np.sqrt(2)), abs=0.02)


def test_the_same_face_a_little_moved_looks_alike(astronaut):
    photo = Image.open(astronaut).convert("RGB")
    one, moved = (looks_of(photo.crop((x, 20, x + 180, 200))) for x in (140, 155))
    other = looks_of(photo.crop((300, 300, 480, 480)))
    assert np.linalg.norm(one - moved) < MAX_LOOKS / 2 < MAX_LOOKS < np.linalg.norm(one - other)
