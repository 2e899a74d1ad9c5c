"""What the speed of maps is held against: the usual tools on transformers' own models and on those of timm."""

import pytest
import torch
from PIL import Image

from benchmarks.speed.model import maps_of, stock_model
from tests.models.test_timm_family import draw, write_timm
from virtus.checkpoints.load import load_checkpoint


@pytest.mark.parametrize("kind", ["vit", "clip of timm"])
def test_stock_attentions_are_those_of_the_model(tmp_path, make_checkpoint, kind):
    folder = make_checkpoint(kind=kind) if kind == "vit" else tmp_path
    if kind != "vit":
        write_timm(folder, "clip")
    _, attend, norm = stock_model(folder)
    trunk = load_checkpoint(str(folder), device="cpu", precision="float32").trunk
    with torch.no_grad():
        attentions, hidden = attend(draw()), trunk.embed(draw())
        assert len(attentions) == len(trunk.blocks)
        for index, expected in enumerate(attentions):
            normed = trunk.first_norm(index, hidden)
            torch.testing.assert_close(trunk.attention(index, normed), expected, atol=1e-4, rtol=1e-4)
            if index == len(trunk.blocks) - 1:
                torch.testing.assert_close(norm(hidden), normed, atol=1e-5, rtol=1e-4)
            hidden = trunk.run_block(index, hidden)
    maps_of(folder)(Image.new("RGB", (32, 32), "gray"))
