"""Blocks in whole numbers: by hand, crop by crop, near float32, and only where the CPU is made for it."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from tests.conftest import EXAMPLES, KINDS
from tests.models.test_families import read_base, write_base
from tests.models.test_trunk import load_pair
from tests.support.explaining import crops, heatmaps, load_detector
from virtus.errors import InputError
from virtus.faces import crop_face, find_faces
from virtus.media import load_image
from virtus.models import hardware
from virtus.models.int8 import Int8Linear, quantise, quantise_finely
from virtus.models.tensors import with_tensors
from virtus.models.trunk import Trunk

CPU = torch.device("cpu")
with_units = pytest.mark.skipif(not hardware.has_int8_units(CPU), reason="this CPU has no units for int8")
TOKENS = torch.tensor(
    [
        [1000, 0, 255, 1.4, 1.6, 100, 0, 0, 0, 0, 0, 0],  # steps of 1 from 0
        [-900, -10, 500, -7.9, -8.1, 90, -10, -10, -10, -10, -10, -10],  # steps of 2 from -10
        [1000, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3],  # steps of 3/255 from the zero that is in the wide channel's place
    ]
)


def test_tokens_are_written_in_steps_of_their_own_without_the_largest_channel():
    codes = quantise(TOKENS.clone())
    assert codes.wide.tolist() == [0]
    assert codes.bytes[0].tolist() == [
        [0, 0, 255, 1, 2, 100, 0, 0, 0, 0, 0, 0],
        [5, 0, 255, 1, 1, 50, 0, 0, 0, 0, 0, 0],
        [0, *[255] * 11],
    ]
    torch.testing.assert_close(codes.steps[:, 0], torch.tensor([1, 2, 3 / 255]))
    torch.testing.assert_close(codes.rest, torch.tensor([[1000, 0, 1], [-900, -10, 1], [1000.0, 0, 1]]))


def test_two_bytes_write_tokens_in_65536_steps():
    codes = quantise_finely(torch.tensor([[-1.0, 65534, 256.4, 300], [0, 131070, 2, 511]]))
    assert [each.tolist() for each in codes.bytes] == [
        [[0, 255, 1, 1], [0, 255, 0, 1]],  # 0, 65535, 257, 301 in steps of 1; 0, 65535, 1, 256 in steps of 2
        [[0, 255, 1, 45], [0, 255, 1, 0]],
    ]
    assert codes.steps.tolist() == [[1], [2]]
    assert codes.rest.tolist() == [[-1, 1], [0, 1]]


def test_a_token_that_is_the_same_everywhere_and_one_that_is_not_finite():
    assert quantise(torch.zeros(1, 12)).bytes[0].eq(0).all()
    for odd in (torch.nan, torch.inf):
        for write in (quantise, quantise_finely):
            assert not write(torch.tensor([[odd, odd, *range(10)]])).steps.isfinite().any()


@with_units
def test_a_product_is_exact_where_the_tokens_and_the_weights_are_whole_numbers():
    tokens = TOKENS.round()
    tokens[1] = torch.tensor([-900, -10, 500, -8, -8, 90, 0, 2, 4, 6, 8, 10])
    layers = nn.Linear(12, 2, bias=False), nn.Linear(12, 3)
    for seed, layer in enumerate(layers):
        layer.weight.data = torch.randint(-126, 127, layer.weight.shape, generator=torch.manual_seed(seed)).float()
        layer.weight.data[:, seed] = 127  # of each row the largest: then its scale is 1
    expected = torch.cat([layer(tokens) for layer in layers], dim=1)
    linear = Int8Linear(*layers)
    torch.testing.assert_close(linear(quantise(tokens.clone())), expected, atol=0.02, rtol=1e-6)
    step = 1900 / 65535  # of the widest token
    most = step / 2 * linear.columns.abs().sum(0).max().item()
    torch.testing.assert_close(linear(quantise_finely(tokens.clone())), expected, atol=most, rtol=1e-6)
    torch.testing.assert_close(torch.cat([layer(tokens) for layer in layers], dim=1), expected)  # laid out anew


@with_units
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_block_is_near_that_of_float32_and_of_each_crop_what_it_is_alone(make_checkpoint, kind):
    folder = make_checkpoint(kind=kind)
    (exact, _), (coarse, _) = load_pair(folder), load_pair(folder, precision="int8")
    hidden = exact.embed(torch.randn(3, 3, 32, 32, generator=torch.manual_seed(1)))
    expected, given = exact.run_block(0, hidden), coarse.run_block(0, hidden)
    assert 0 < (given - expected).norm() < 0.02 * expected.norm()
    assert torch.equal(given, torch.cat([coarse.run_block(0, crop[None]) for crop in hidden]))
    hidden[1, 4, 7] = torch.nan
    assert [bool(crop.isfinite().all()) for crop in coarse.run_block(0, hidden)] == [True, False, True]


@with_units
@torch.no_grad()
def test_patches_that_each_crop_kept_are_turned_by_their_own_angles(tmp_path):
    write_base(tmp_path, "DINOv3ViTModel")
    model = read_base(tmp_path)
    model = with_tensors(model.config.for_size((32, 32)), model.state_dict())
    exact, coarse = (Trunk(model, device=CPU, precision=name) for name in ("float32", "int8"))
    kept = torch.tensor([[0, 1, 2, 4, 7, 18], [0, 1, 2, 3, 9, 10]])  # one class token, two registers
    hidden = exact.embed(torch.randn(2, 3, 32, 32, generator=torch.manual_seed(1)))
    some = torch.stack([crop[own] for crop, own in zip(hidden, kept, strict=True)])
    for tokens, which in ((hidden, None), (some, kept)):
        expected, given = (trunk.run_block(0, tokens, kept=which) for trunk in (exact, coarse))
        assert 0 < (given - expected).norm() < 0.02 * expected.norm()


@with_units
def test_what_looks_into_a_block_is_float32_and_starts_where_the_verdict_did(make_checkpoint):
    exact, coarse = (load_detector(make_checkpoint(), precision=name) for name in ("float32", "int8"))
    hidden = torch.randn(2, 17, 32, generator=torch.manual_seed(2))
    wanted = [one.checkpoint.trunk.run_block(0, hidden, num_tokens=3) for one in (exact, coarse)]
    torch.testing.assert_close(wanted[1], wanted[0], atol=1e-6, rtol=1e-5)
    pictures = crops(3)
    assert coarse.predict_state(coarse.encode(pictures)) == coarse.predict(pictures)
    before, after = (heatmaps(one, pictures, method="gradcam", target="fake") for one in (exact, coarse))
    assert np.abs(after - before).max() <= 0.05 * np.abs(before).max()


@with_units
@pytest.mark.parametrize("name", ["virtus-base", "virtus-fast"])
def test_p_of_the_bundled_checkpoints_is_near_that_of_float32(name):
    exact, coarse = (load_detector(name, precision=precision) for precision in ("float32", "int8"))
    photos = [load_image(path) for path in sorted(EXAMPLES.glob("*.jpg"))]
    found = [(photo, seen[0]) for photo in photos if (seen := find_faces(photo))]
    faces = [crop_face(photo, face, margin=exact.checkpoint.margin) for photo, face in found]
    before, after = exact.predict(faces), coarse.predict(faces)
    assert [one.p_fake for one in after] == pytest.approx([one.p_fake for one in before], abs=0.02)
    assert coarse.checkpoint.trunk.precision == "int8"


@pytest.mark.parametrize(
    ("units", "exactly", "width", "expected"),
    [
        (["avx512_vnni"], True, 768, "int8"),
        (["avx_vnni"], True, 1024, "int8"),
        (["avx512_vnni"], True, 192, "float32"),
        (["avx512_vnni"], False, 768, "float32"),
        (["avx512_vnni", "avx512_bf16"], True, 768, "bfloat16"),
        (["avx2"], True, 768, "float32"),
        ([], True, 768, "float32"),
    ],
)
def test_auto_takes_int8_only_where_it_is_faster(monkeypatch, units, exactly, width, expected):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(units, True))
    monkeypatch.setattr(hardware, "multiplies_exactly", lambda: exactly)
    assert hardware.resolve_precision("auto", CPU, width=width) == expected


def test_int8_is_refused_where_there_is_no_cpu_to_compute_it():
    with pytest.raises(InputError, match=r"needs a CPU with AVX512-VNNI .* Use auto or float32 instead"):
        hardware.resolve_precision("int8", torch.device("meta"), width=768)


def test_int8_is_refused_where_the_units_are_hidden(make_checkpoint):
    command = [sys.executable, "-m", "virtus", "scan", str(EXAMPLES), "--model", str(make_checkpoint())]
    hidden = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}  # where sums of two products end at 32767
    done = subprocess.run([*command, "--precision", "int8"], env=hidden, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "int8 needs a CPU with AVX512-VNNI" in done.stderr
    assert "Traceback" not in done.stderr
