"""MTCNN's nets and boxes against facenet-pytorch's and torchvision's own."""

from itertools import pairwise

import facenet_pytorch
import numpy as np
import pytest
import torch
from facenet_pytorch.models.utils import detect_face as stock
from torchvision.ops import nms

from virtus.bundled import ASSETS
from virtus.faces import mtcnn as own
from virtus.faces.mtcnn import Cascade, Slot
from virtus.faces.nets import output_net, pooled, proposing_net, refining_net
from virtus.media.images import load_image

DRAW = torch.Generator().manual_seed(3)


def draw_boxes(count: int) -> torch.Tensor:
    """Boxes with probabilities, crowded, some of them partly outside a picture of 200x150."""
    corners = torch.rand(count, 2, generator=DRAW) * 160 - 20
    sides = torch.rand(count, 2, generator=DRAW) * 60 + 1
    return torch.cat((corners, corners + sides, torch.rand(count, 1, generator=DRAW)), dim=1)


def draw_pictures(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, 3, generator=DRAW) * 2 - 1


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize(("make", "name", "side"), [(refining_net, "RNet", 24), (output_net, "ONet", 48)])
@torch.no_grad()
def test_the_nets_are_those_of_facenet_pytorch(make, name, side, count):
    pictures = draw_pictures(count, side, side)
    probabilities, *others = make()(pictures)
    assert len(probabilities) == count
    if count:
        *expected, both = getattr(facenet_pytorch, name)()(pictures.permute(0, 3, 1, 2))
        torch.testing.assert_close(probabilities, both[:, 1])
        torch.testing.assert_close(others, expected)


@pytest.mark.parametrize("size", [(12, 12), (40, 41), (301, 90)])  # the last in strips
@torch.no_grad()
def test_the_first_net_is_that_of_facenet_pytorch(size):
    picture, net = draw_pictures(*size), proposing_net()
    seen, probabilities = net(picture)
    offsets, both = facenet_pytorch.PNet()(picture.permute(2, 0, 1)[None])
    torch.testing.assert_close(probabilities, both[0, 1])
    torch.testing.assert_close(net.offsets(seen), offsets[0].permute(1, 2, 0))


@torch.no_grad()
def test_pictures_side_by_side_are_seen_as_alone():
    sizes, net = [(0, 60, 201), (60, 27, 90), (88, 30, 33), (118, 13, 12)], proposing_net()
    shelf = draw_pictures(201, 131) * 9  # what shone through a seam would be seen
    _, together = net(shelf, sizes)
    for left, width, height in sizes:
        _, alone = net(shelf[:height, left : left + width])
        rows, columns = alone.shape
        torch.testing.assert_close(together[:rows, left // 2 : left // 2 + columns], alone)


@pytest.mark.parametrize("window", [2, 3])
@pytest.mark.parametrize("size", [(8, 9), (9, 8), (3, 4)])
def test_a_pool_is_that_of_torch(window, size):
    values = torch.randn(2, *size, 5, generator=DRAW)
    expected = torch.nn.functional.max_pool2d(values.permute(0, 3, 1, 2), window, 2, ceil_mode=True)
    assert torch.equal(pooled(values.clone(), window).permute(0, 3, 1, 2), expected)


@pytest.mark.parametrize("threshold", [0.45, 2.0])
def test_proposals_are_those_of_facenet_pytorch(threshold):
    offsets, faces = torch.randn(4, 9, 7, generator=DRAW), torch.rand(9, 7, generator=DRAW)
    expected, _ = stock.generateBoundingBox(offsets[None], faces[None], 0.36, threshold)
    shelf = torch.ones(12, 20)
    shelf[:9, 5:12] = faces
    places, windows = own.proposed(shelf.numpy(), Slot(0.36, left=10, width=23, height=27), threshold)
    assert np.array_equal(windows, expected[:, :5])
    assert np.array_equal(offsets.numpy()[:, places[:, 0], places[:, 1] - 5].T, expected[:, 5:])
    assert (len(expected) == 0) == (threshold > 1)


def test_copies_of_a_picture_stand_side_by_side_from_even_columns_on():
    shelves = own._shelves((384, 512, 3), list(own._scales(384)))
    assert [slot for shelf in shelves for slot in shelf if slot.left % 2] == []
    assert [len(shelf) for shelf in shelves[:2]] == [1, 1]
    assert len(shelves) == 4
    for shelf in shelves:
        for slot, following in pairwise(shelf):
            assert following.left >= slot.left + slot.width


def test_faces_are_sought_in_windows_of_the_wanted_sides(astronaut):
    photo, cascade = load_image(astronaut), Cascade()  # a face of some 90 x 115 pixels
    everywhere, large, small = (
        cascade.detect(photo),
        cascade.detect(photo, smallest=29),
        cascade.detect(photo, below=29),
    )
    np.testing.assert_allclose(large.boxes[0], everywhere.boxes[0], atol=0.01)
    assert all(np.ptp(box.reshape(2, 2), axis=0).max() < 60 for box in small.boxes)


@pytest.mark.parametrize("count", [0, 1, 400])
def test_boxes_are_moved_squared_and_cut_as_in_facenet_pytorch(count):
    boxes, offsets = draw_boxes(count), torch.randn(count, 4, generator=DRAW)
    assert np.array_equal(own.moved(boxes.numpy(), offsets.numpy()), stock.bbreg(boxes.clone(), offsets))
    assert np.array_equal(own.squared(boxes.numpy()), stock.rerec(boxes.clone()))
    tops, bottoms, lefts, rights = stock.pad(boxes.clone(), 200, 150)
    found = own.inside(boxes.numpy(), 200, 150)
    for column, expected in enumerate((lefts, tops, rights, bottoms)):
        assert (found[:, column] == expected).all()


@pytest.mark.parametrize("count", [0, 1, 2, 1500])
@pytest.mark.parametrize("overlap", [0.5, 0.7])
def test_the_strongest_are_those_of_torchvision(count, overlap):
    boxes = draw_boxes(count)
    assert np.array_equal(own.strongest(boxes.numpy(), overlap), nms(boxes[:, :4], boxes[:, 4], overlap))


@pytest.mark.parametrize("count", [0, 1, 800])
def test_the_strongest_by_the_smaller_box_are_those_of_facenet_pytorch(count):
    boxes = draw_boxes(count)
    expected = stock.batched_nms_numpy(boxes[:, :4], boxes[:, 4], torch.zeros(count), 0.7, "Min")
    assert np.array_equal(own.strongest(boxes.numpy(), 0.7, of_smaller=True), expected)


def test_of_two_that_overlap_the_more_probable_stays():
    boxes = np.array([[0.0, 0, 10, 10, 0.7], [1, 0, 11, 10, 0.9], [30, 30, 40, 40, 0.6]])
    assert own.strongest(boxes, 0.5).tolist() == [1, 2]
    assert own.strongest(boxes, 0.9).tolist() == [1, 0, 2]


def test_nets_are_shown_few_sizes_of_batches():
    """Each new number of cut-outs left a megabyte of kernels in oneDNN."""
    sizes = [own._batch_sizes(count) for count in range(300)]
    spare = [sum(parts) - count for count, parts in enumerate(sizes)]
    assert min(spare) == 0
    assert all(parts <= max(2, count // 4) for count, parts in enumerate(spare))
    assert [own._batch_sizes(count) for count in (0, 1, 3, 6, 9, 27, 33)] == [[0], [1], [4], [8], [8, 1], [32], [32, 1]]
    assert {size for parts in sizes for size in parts} == {0, 1, 2, 4, 8, 16, 32, 64, 128, 256}
    cascade, shown = Cascade(), []
    for net in (cascade._refine, cascade._output):
        net.register_forward_hook(lambda _net, given, _values: shown.append(len(given[0])))
    assert len(cascade.detect(load_image(ASSETS / "examples" / "grace-hopper.jpg")).boxes) == 1
    assert shown
    assert all(size.bit_count() == 1 for size in shown), shown
