from dataclasses import replace

import numpy as np
import pytest
import torch

from train.fit.model import load_base
from train.fit.probe import check_probe, fit_probe, idlest_channel, read_by_mlps, read_probe, write_probe
from train.pictures.samplers import RowKind
from virtus.errors import DataError
from virtus.models.block import ACTIVATION
from virtus.models.packed import rounded
from virtus.results import Label

NUM_ROWS, CHANNEL, FIRST = 60, 3, 1


@pytest.fixture
def classifier(make_checkpoint):
    return load_base(str(make_checkpoint(kind="clip")), head="class_token").classifier.eval()


@pytest.fixture
def hidden(classifier):
    config, draw = classifier.config, torch.Generator().manual_seed(1)
    num_tokens = config.num_prefix_tokens + config.grid_size[0] * config.grid_size[1]
    return torch.randn(NUM_ROWS, num_tokens, config.hidden_size, generator=draw)


@pytest.fixture
def kinds(hidden):
    """Fake is what one channel of the class token says: of what enters the first block that is read."""
    is_fake = (hidden[:, 0, 5] > hidden[:, 0, 5].median()).tolist()
    return [RowKind(Label.FAKE if fake else Label.REAL, str(row)) for row, fake in enumerate(is_fake)]


@pytest.fixture
def probed(classifier, hidden, kinds):
    with torch.no_grad():
        probe = fit_probe(read_by_mlps(classifier, hidden, FIRST).numpy(), kinds, CHANNEL)
        write_probe(classifier, probe, hidden, FIRST)
    return probe


@pytest.mark.parametrize("name", ACTIVATION)
def test_two_neurons_of_any_activation_hand_on_what_they_read(name):
    values, activation = torch.linspace(-9, 9, 101), ACTIVATION[name]()
    torch.testing.assert_close(activation(values) - activation(-values), values, atol=2e-6, rtol=0)


@torch.no_grad()
def test_the_channel_carries_the_standard_score_of_what_the_mlps_read_and_the_head_reads_the_margin(
    classifier, hidden, kinds, probed
):
    features = read_by_mlps(classifier, hidden, FIRST).numpy()
    read = np.einsum("nbd,bd->n", features - probed.means, probed.weights)
    left = hidden
    for block in classifier.blocks[FIRST:]:
        left = block(left)
    carried = (left - hidden)[:, 0, CHANNEL].numpy()
    np.testing.assert_allclose(carried, read / probed.spread, atol=1e-4)
    read_probe(classifier, probed, hidden, torch.from_numpy(probed.margins(features)), FIRST)
    logits = classifier.judge(hidden, first_block=FIRST)
    margins = (logits[:, 1] - logits[:, 0]).numpy()
    assert np.corrcoef(margins, probed.margins(features))[0, 1] > 0.95  # a norm of few channels bends it
    is_fake = np.array([kind.label is Label.FAKE for kind in kinds])
    assert (margins[is_fake].mean() - margins[~is_fake].mean()) > margins.std()


@torch.no_grad()
def test_a_channel_that_says_the_same_of_all_pictures_gives_way_without_loss(classifier, hidden, kinds):
    """What was read of it goes into the readers' biases: until then it was lost, and with it what the blocks knew."""
    steady = 7
    hidden[:, :, steady] = 5.0
    for block in classifier.blocks[FIRST:]:  # it stays what it is
        for writer in (block.attention.o_proj, block.mlp.fc2):
            writer.weight[steady], writer.bias[steady] = 0, 0
    before = classifier.judge(hidden, first_block=FIRST)
    probe = fit_probe(read(classifier, hidden), kinds, steady)
    write_probe(classifier, replace(probe, spread=1e9), hidden, FIRST)  # and next to nothing is carried
    moved = (classifier.judge(hidden, first_block=FIRST) - before).abs()
    assert moved.mean() < 0.2 * before.std()


@torch.no_grad()
def test_the_idlest_channel_is_the_one_that_nothing_reads(classifier, hidden):
    idle = 11
    for block in classifier.blocks[FIRST:]:
        for reader in (block.attention.q_proj, block.attention.k_proj, block.attention.v_proj, block.mlp.fc1):
            reader.weight[:, idle] = 0
    assert idlest_channel(classifier, hidden, FIRST) == idle


def test_nothing_else_writes_or_reads_the_channel(classifier, probed):
    for block in classifier.blocks[FIRST:]:
        attention, mlp = block.attention, block.mlp
        for reader in (attention.q_proj, attention.k_proj, attention.v_proj, mlp.fc1):
            assert not reader.weight[:, CHANNEL].any()
        assert (attention.o_proj.weight[CHANNEL].any(), attention.o_proj.bias[CHANNEL]) == (False, 0)
        assert sorted(value for value in mlp.fc2.weight[CHANNEL].tolist() if value) == [-1, 1]
        assert mlp.fc2.bias[CHANNEL] == 0
    assert probed.weights[:, CHANNEL].tolist() == [0.0] * len(probed.weights)


@torch.no_grad()
def test_a_probe_outlives_rounding_to_int8(classifier, hidden, probed):
    read_probe(classifier, probed, hidden, torch.from_numpy(probed.margins(read(classifier, hidden))), FIRST)
    exact = classifier.judge(hidden, first_block=FIRST)
    classifier.load_state_dict(rounded(classifier.state_dict()))
    difference = (classifier.judge(hidden, first_block=FIRST) - exact).abs()
    assert difference.max() < 0.1 * exact.std()


def read(classifier, hidden):
    return read_by_mlps(classifier, hidden, FIRST).numpy()


def test_a_base_without_a_class_token_that_is_read_is_refused(make_checkpoint):
    with pytest.raises(DataError, match="probe=true needs plain MLPs and one head on a normed class token"):
        check_probe(load_base(str(make_checkpoint(kind="siglip"))).classifier)
