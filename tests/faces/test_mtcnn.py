"""MTCNN's nets and boxes against facenet-pytorch's and torchvision's own."""

import facenet_pytorch
import pytest
import torch
from facenet_pytorch.models.utils import detect_face as stock
from torchvision.ops import nms

from virtus.faces import mtcnn as own
from virtus.faces.mtcnn import output_net, proposing_net, refining_net

DRAW = torch.Generator().manual_seed(3)


def draw_boxes(count: int) -> torch.Tensor:
    """Boxes with probabilities, crowded, some of them partly outside a picture of 200x150."""
    corners = torch.rand(count, 2, generator=DRAW) * 160 - 20
    sides = torch.rand(count, 2, generator=DRAW) * 60 + 1
    return torch.cat((corners, corners + sides, torch.rand(count, 1, generator=DRAW)), dim=1)


@pytest.mark.parametrize(
    ("make", "name", "side"), [(proposing_net, "PNet", 40), (refining_net, "RNet", 24), (output_net, "ONet", 48)]
)
@torch.no_grad()
def test_the_nets_are_those_of_facenet_pytorch(make, name, side):
    pictures = torch.rand(3, 3, side, side, generator=DRAW) * 2 - 1
    for found, expected in zip(make()(pictures), getattr(facenet_pytorch, name)()(pictures), strict=True):
        assert torch.equal(found, expected)


@pytest.mark.parametrize("threshold", [0.45, 2.0])
def test_proposals_are_those_of_facenet_pytorch(threshold):
    offsets, faces = torch.randn(4, 9, 7, generator=DRAW), torch.rand(9, 7, generator=DRAW)
    expected, _ = stock.generateBoundingBox(offsets[None], faces[None], 0.36, threshold)
    assert torch.equal(own.proposed(offsets, faces, 0.36, threshold), expected)
    assert (len(expected) == 0) == (threshold > 1)


@pytest.mark.parametrize("count", [0, 1, 400])
def test_boxes_are_moved_squared_and_cut_as_in_facenet_pytorch(count):
    boxes, offsets = draw_boxes(count), torch.randn(count, 4, generator=DRAW)
    assert torch.equal(own.moved(boxes, offsets), stock.bbreg(boxes.clone(), offsets))
    assert torch.equal(own.squared(boxes), stock.rerec(boxes.clone()))
    tops, bottoms, lefts, rights = stock.pad(boxes.clone(), 200, 150)
    found = own.inside(boxes, 200, 150)
    for column, expected in enumerate((lefts, tops, rights, bottoms)):
        assert (found[:, column] == expected).all()


@pytest.mark.parametrize("count", [0, 1, 2, 1500])
@pytest.mark.parametrize("overlap", [0.5, 0.7])
def test_the_strongest_are_those_of_torchvision(count, overlap):
    boxes = draw_boxes(count)
    assert torch.equal(own.strongest(boxes, overlap), nms(boxes[:, :4], boxes[:, 4], overlap))


@pytest.mark.parametrize("count", [0, 1, 800])
def test_the_strongest_by_the_smaller_box_are_those_of_facenet_pytorch(count):
    boxes = draw_boxes(count)
    expected = stock.batched_nms_numpy(boxes[:, :4], boxes[:, 4], torch.zeros(count), 0.7, "Min")
    assert torch.equal(own.strongest(boxes, 0.7, of_smaller=True), expected)


def test_of_two_that_overlap_the_more_probable_stays():
    boxes = torch.tensor([[0.0, 0, 10, 10, 0.7], [1, 0, 11, 10, 0.9], [30, 30, 40, 40, 0.6]])
    assert own.strongest(boxes, 0.5).tolist() == [1, 2]
    assert own.strongest(boxes, 0.9).tolist() == [1, 0, 2]
