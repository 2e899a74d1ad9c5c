"""Our own ViT and DeiT against transformers': the same tensors, the same activations."""

import dataclasses
import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.activations import ACT2FN

from tests.conftest import KINDS, stock_config
from virtus.models.architecture import ACTIVATIONS
from virtus.models.block import ACTIVATION
from virtus.models.families import read_architecture
from virtus.models.tensors import build_classifier, file_tensors
from virtus.models.vit import pooling_rows

SIZES = {"image_size": [24, 16], "patch_size": 8, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
SIZES |= {"intermediate_size": 48}


def shapes_of(tensors):
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


def used(own, tensors):
    """Without what files hold and classifiers do not read."""
    return {name: shape for name, shape in tensors.items() if not any(part in f".{name}" for part in own.family.unused)}


@pytest.mark.parametrize("kind", KINDS)
def test_the_tensors_are_those_of_transformers_by_both_its_names(make_checkpoint, kind):
    folder = make_checkpoint(kind=kind)
    own = read_architecture(json.loads((folder / "config.json").read_text()))
    stock = getattr(transformers, own.name).from_pretrained(folder)
    for tensors in (load_file(folder / "model.safetensors"), stock.state_dict()):
        assert own.file_shapes(tensors) == used(own, shapes_of(tensors))
    assert own.file_shapes() == own.file_shapes(load_file(folder / "model.safetensors"))  # the older ones are written


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["vit", "deit-with-teacher", "dinov2"])
def test_projections_without_bias_are_known(kind, bias):
    config = stock_config(kind, qkv_bias=bias)
    config.architectures = [KINDS[kind][0]]
    stock = getattr(transformers, KINDS[kind][0])(config).state_dict()
    own = read_architecture(json.loads(config.to_json_string()))
    assert own.file_shapes(stock) == used(own, shapes_of(stock))


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_config_leaves_out_is_as_in_transformers(kind):
    name, config, _ = KINDS[kind]
    stock = getattr(transformers, config)()
    own = read_architecture({"model_type": stock.model_type, "architectures": [name]})
    stock = getattr(stock, "vision_config", stock)
    for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "hidden_act", "layer_norm_eps"):
        assert getattr(own, key) == getattr(stock, key), key
    assert own.intermediate_size == getattr(stock, "intermediate_size", stock.hidden_size * 4)
    assert (own.image_size, own.patch_size) == ((stock.image_size,) * 2, (stock.patch_size,) * 2)
    assert (own.num_labels, own.num_register_tokens) == (2, getattr(stock, "num_register_tokens", 0))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_transformers(name):
    values = torch.linspace(-6, 6, 101)
    torch.testing.assert_close(ACTIVATION[name]()(values), ACT2FN[name](values), atol=1e-6, rtol=1e-5)


def test_a_file_that_changes_later_does_not_change_the_model(tmp_path):
    own, file = read_architecture({"model_type": "vit"} | SIZES), tmp_path / "model.safetensors"
    save_file({name: torch.ones(shape) for name, shape in own.file_shapes().items()}, file)
    model = build_classifier(own, [file])
    tensors = load_file(file)
    file.write_bytes(b"\0" * file.stat().st_size)
    assert all(bool((tensor == 1).all()) for tensor in model.state_dict().values())
    assert set(model.state_dict()) == set(own.tensors())
    assert set(file_tensors(own, model.state_dict())) == set(tensors)


@pytest.mark.parametrize(
    ("pooling", "rows"),
    [
        ("cls", [[1, 0, 0, 0, 0, 0, 0]]),
        ("mean", [[0, 0, 0, 0, 0, 1 / 2, 1 / 2]]),  # a class token and four registers are no patches
        ("cls+mean", [[1, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1 / 2, 1 / 2]]),
    ],
)
def test_what_the_head_reads_by_hand(pooling, rows):
    own = read_architecture({"model_type": "dinov2_with_registers"})
    own = dataclasses.replace(own, pooling=pooling)
    torch.testing.assert_close(pooling_rows(own, torch.zeros(3, 7, 2)), torch.tensor(rows, dtype=torch.float32))
