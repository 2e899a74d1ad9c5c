"""What the page computes from packed attention, by its own script in chromium, against the engine's arithmetic."""

import base64
import json

import numpy as np
import pytest
import torch

from virtus.bundled import ASSETS
from virtus.explain import joint_attention

pytestmark = pytest.mark.browser
BLOCKS, HEADS, GRID, PREFIX = 3, 2, (3, 4), 1
TOKENS = GRID[0] * GRID[1] + PREFIX


@pytest.fixture(scope="module")
def attention():
    """(blocks, heads, T, T), rows sum to 1."""
    scores = torch.randn(BLOCKS, HEADS, TOKENS, TOKENS, generator=torch.Generator().manual_seed(0))
    return torch.softmax(2 * scores, dim=-1)


@pytest.fixture(scope="module")
def page(browser, attention):
    """With `attention` there, taken from the bytes that a server sends."""
    scales = attention.amax(dim=-1)
    codes = (attention / scales[..., None]).sqrt().mul(255).round().to(torch.uint8)
    blocks = [scales[block].numpy().tobytes() + codes[block].numpy().tobytes() for block in range(BLOCKS)]
    pooling = np.zeros((1, 1, TOKENS), np.float32)
    pooling[..., 0] = 1
    page = browser.new_page()
    page.add_script_tag(content=(ASSETS / "scripts" / "explore-arrays.js").read_text(encoding="utf-8"))
    page.evaluate(
        """([blocks, settings, pooled]) => {
            const pooling = { heads: 1, vectors: 1, values: floatsOf(pooled) };
            window.attention = new Attention({ ...settings, pooling });
            const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
            blocks.forEach((text, block) => attention.take(block, bytes(text)));
        }""",
        [
            [base64.b64encode(block).decode() for block in blocks],
            {"blocks": BLOCKS, "heads": HEADS, "grid": GRID, "numTokens": TOKENS},
            base64.b64encode(pooling.tobytes()).decode(),
        ],
    )
    yield page
    page.close()


def drawn(page, patch, **settings):
    """The map of all tokens that the page makes for a patch, or for the verdict if None."""
    settings = {"span": "rollout", "direction": "from", "discard": 0, "heads": "mean", "block": BLOCKS - 1} | settings
    script = "([patch, settings]) => [...attention.map(attention.source(patch, settings.heads), settings)]"
    return np.array(page.evaluate(script, [patch, settings]))


@pytest.mark.parametrize("heads", ["mean", "max", "min", 1])
@pytest.mark.parametrize("discard", [0, 0.5])
@pytest.mark.parametrize("block", [0, BLOCKS - 1])
def test_rollout_is_the_engines(page, attention, heads, discard, block):
    fusion = {"head": heads} if isinstance(heads, int) else {"head_fusion": heads}
    joint = joint_attention(attention[: block + 1, None], discard_ratio=discard, **fusion)[0].numpy()
    settings = {"heads": heads, "discard": discard, "block": block}
    # Where weights are discarded, one that is as good as equal to the limit may fall on its other side.
    near = np.ptp(joint) * (1 / 255 if not discard else 0.05)
    assert np.abs(drawn(page, None, **settings) - joint[0]).max() < near
    assert np.abs(drawn(page, 5, **settings) - joint[5 + PREFIX]).max() < near
    assert np.abs(drawn(page, 5, direction="to", **settings) - joint[:, 5 + PREFIX]).max() < near


@pytest.mark.parametrize("heads", ["mean", "max", "min", 0])
def test_one_block_is_its_attention_and_its_columns_say_who_looks(page, attention, heads):
    fused = {"mean": attention.mean(1), "max": attention.amax(1), "min": attention.amin(1), 0: attention[:, 0]}[heads]
    for block in range(BLOCKS):
        settings = {"span": "block", "heads": heads, "block": block}
        assert np.abs(drawn(page, 7, **settings) - fused[block, 7 + PREFIX].numpy()).max() < 0.004
        assert np.abs(drawn(page, 7, direction="to", **settings) - fused[block, :, 7 + PREFIX].numpy()).max() < 0.004


def test_distance_and_entropy_are_means_over_the_patches_that_look(page, attention):
    found = page.evaluate("attention.statisticsOf(1)")
    rows, columns = np.divmod(np.arange(TOKENS - PREFIX), GRID[1])
    apart = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    for head in range(HEADS):
        weights = attention[1, head, PREFIX:].numpy().astype(float)
        onto = weights[:, PREFIX:]
        assert found[head]["distance"] == pytest.approx(((onto * apart).sum(1) / onto.sum(1)).mean(), abs=0.02)
        assert found[head]["entropy"] == pytest.approx(-(weights * np.log2(weights)).sum(1).mean(), abs=0.03)


def test_parts_of_a_face_are_held_against_their_size(page):
    script = "([values, names]) => againstSize(new Float32Array(values), names)"
    found = page.evaluate(script, [[3, 1, 0, 0], ["eye", "chin", "chin", "chin"]])
    assert json.loads(json.dumps(found)) == [
        {"name": "eye", "share": 0.75, "size": 0.25, "times": 3},
        {"name": "chin", "share": 0.25, "size": 0.75, "times": pytest.approx(1 / 3)},
    ]
