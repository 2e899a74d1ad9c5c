"""Our own ViT and DeiT against transformers': the same tensors, the same activations."""

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.activations import ACT2FN

from virtus.models.families import ACTIVATIONS, KIND_OF, Architecture
from virtus.models.vit import ACTIVATION, build_classifier

SIZES = {"image_size": [24, 16], "patch_size": 8, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
SIZES |= {"intermediate_size": 48}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("name", KIND_OF)
def test_the_tensors_are_those_of_transformers(name, bias):
    config = transformers.AutoConfig.for_model(KIND_OF[name], **SIZES, qkv_bias=bias)
    stock = getattr(transformers, name)(config).state_dict()
    own = Architecture.from_config(name, SIZES | {"qkv_bias": bias}).tensors()
    assert own == {key: tuple(tensor.shape) for key, tensor in stock.items()}


@pytest.mark.parametrize("name", KIND_OF)
def test_what_a_config_leaves_out_is_as_in_transformers(name):
    stock, own = transformers.AutoConfig.for_model(KIND_OF[name]), Architecture.from_config(name, {})
    for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act"):
        assert getattr(own, key) == getattr(stock, key)
    assert (own.layer_norm_eps, own.qkv_bias) == (stock.layer_norm_eps, stock.qkv_bias)
    assert (own.image_size, own.patch_size) == ((stock.image_size,) * 2, (stock.patch_size,) * 2)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_are_those_of_transformers(name):
    values = torch.linspace(-6, 6, 101)
    torch.testing.assert_close(ACTIVATION[name]()(values), ACT2FN[name](values), atol=1e-6, rtol=1e-5)


def test_a_file_that_changes_later_does_not_change_the_model(tmp_path):
    own, file = Architecture.from_config("ViTForImageClassification", SIZES), tmp_path / "model.safetensors"
    save_file({name: torch.ones(shape) for name, shape in own.tensors().items()}, file)
    model = build_classifier(own, [file])
    tensors = load_file(file)
    file.write_bytes(b"\0" * file.stat().st_size)
    assert all(bool((tensor == 1).all()) for tensor in model.state_dict().values())
    assert set(model.state_dict()) == set(tensors)
