"""Backbones that are read from other classes, what is written for transformers, and what is refused by name."""

import dataclasses
import json

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.checkpoints.test_doctor import change, refusal
from tests.conftest import KINDS, stock_config
from tests.models.test_weights import drop, rewrite
from virtus.checkpoints.examine import check_tensors, examine_checkpoint, load_model
from virtus.errors import CheckpointError
from virtus.models.families import classifier_config, read_architecture
from virtus.models.tensors import classifier_tensors, file_tensors, with_tensors
from virtus.models.trunk import Trunk
from virtus.models.weights import read_headers

SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
SIZES |= {"image_size": 32, "patch_size": 8}
BASES = {  # class: its config
    "ViTModel": ("ViTConfig", SIZES),
    "CLIPModel": ("CLIPConfig", {"vision_config": SIZES}),
    "CLIPVisionModel": ("CLIPVisionConfig", SIZES),
    "CLIPVisionModelWithProjection": ("CLIPVisionConfig", SIZES),
    "SiglipModel": ("SiglipConfig", {"vision_config": SIZES}),
    "SiglipVisionModel": ("SiglipVisionConfig", SIZES),
    "Dinov2Model": ("Dinov2Config", SIZES | {"mlp_ratio": 2}),
    "Dinov2WithRegistersModel": ("Dinov2WithRegistersConfig", SIZES),
    "DINOv3ViTModel": ("DINOv3ViTConfig", SIZES | {"num_register_tokens": 2}),
}
GATED = {"use_gated_mlp": True, "hidden_act": "silu", "query_bias": False, "key_bias": True}


def write_base(folder, name, **options):
    """A model of transformers with every tensor random; the model."""
    config, sizes = BASES[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = getattr(transformers, name)(getattr(transformers, config)(**sizes | options)).eval()
        for tensor in model.parameters():
            tensor.data += 0.2 * torch.randn(tensor.shape)
    model.save_pretrained(folder)
    return model


def read_base(folder, **parts):
    """A classifier of two classes with the backbone in a folder and a random head."""
    architecture = read_architecture(json.loads((folder / "config.json").read_text()), as_base=True)
    architecture = dataclasses.replace(architecture, num_labels=2, **parts)
    files = list(folder.glob("*.safetensors"))
    headers = {name: header.shape for name, header in read_headers(files).items()}
    check_tensors(architecture, headers, heads=False)
    tensors = classifier_tensors(architecture, files, heads=False)
    draw = torch.Generator().manual_seed(1)
    heads = {name: shape for name, shape in architecture.tensors().items() if architecture.is_head(name)}
    heads = {name: torch.randn(shape, generator=draw) for name, shape in heads.items()}
    return with_tensors(architecture, tensors | heads).eval()


@pytest.fixture
def pixel_values():
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("name", [name for name in BASES if "DINOv3" not in name])
@torch.no_grad()
def test_a_base_without_a_head_is_read_and_saved_for_transformers(tmp_path, name, pixel_values):
    write_base(tmp_path, name)
    own = read_base(tmp_path)
    names = {0: "Real", 1: "Fake"}
    config = classifier_config(own.config, json.loads((tmp_path / "config.json").read_text()), names)
    (tmp_path / "config.json").write_text(json.dumps(config))
    save_file(file_tensors(own.config, own.state_dict()), tmp_path / "model.safetensors", metadata={"format": "pt"})
    stock, loading = getattr(transformers, own.config.name).from_pretrained(tmp_path, output_loading_info=True)
    mask = {"dinov2_with_registers.embeddings.mask_token"}  # which no classifier reads, and no config leaves out
    assert loading["missing_keys"] - mask == loading["unexpected_keys"] == set()
    assert stock.config.id2label == names
    torch.testing.assert_close(own(pixel_values), stock.eval()(pixel_values).logits, atol=1e-5, rtol=1e-4)
    again = read_base(tmp_path)
    assert all(
        torch.equal(tensor, again.state_dict()[key]) for key, tensor in own.state_dict().items() if "class" not in key
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_what_was_read(make_checkpoint, kind):
    examined = examine_checkpoint(make_checkpoint(kind=kind))
    held, written = (
        load_file(examined.weights[0]),
        file_tensors(examined.architecture, load_model(examined).state_dict()),
    )
    assert written.keys() == examined.architecture.file_shapes(held).keys()
    assert all(torch.equal(tensor, held[name]) for name, tensor in written.items())


@pytest.mark.parametrize("options", [{}, GATED, {"image_size": 64}], ids=["plain", "gated", "another size"])
@torch.no_grad()
def test_dinov3_is_that_of_transformers_with_patches_left_out_too(tmp_path, pixel_values, options):
    stock = write_base(tmp_path, "DINOv3ViTModel", **options)
    own = read_base(tmp_path)
    own = with_tensors(own.config.for_size((32, 32)), own.state_dict())
    trunk = Trunk(own, device=torch.device("cpu"))
    head = own.classifier
    for ours in (own(pixel_values), trunk.logits(trunk.embed(pixel_values))):
        torch.testing.assert_close(ours, head(stock(pixel_values).pooler_output), atol=1e-5, rtol=1e-4)
    kept = torch.tensor([[0, 1, 2, 4, 7, 18], [0, 1, 2, 3, 9, 10]])  # one class token, two registers
    hidden, turned = stock.embeddings(pixel_values), stock.rope_embeddings(pixel_values)
    for crop, tokens in enumerate(kept):
        left = hidden[crop : crop + 1, tokens]
        for layer in stock.model.layer:
            left = layer(left, position_embeddings=tuple(part[tokens[3:] - 3] for part in turned))
        ours = trunk.logits(trunk.embed(pixel_values)[crop : crop + 1, tokens], tokens[None])
        torch.testing.assert_close(ours, head(stock.norm(left)[:, 0]), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_attention_pooling_is_siglips(tmp_path, pixel_values):
    stock = write_base(tmp_path, "SiglipVisionModel")
    own = read_base(tmp_path, pooling="attention")
    output = stock(pixel_values)
    torch.testing.assert_close(own(pixel_values), own.classifier(output.pooler_output), atol=1e-5, rtol=1e-4)
    head, tokens = stock.head, output.last_hidden_state
    _, attention = head.attention(head.probe.expand(2, -1, -1), tokens, tokens, average_attn_weights=False)
    hidden = own.embed(pixel_values)
    for block in own.blocks:
        hidden = block(hidden)
    torch.testing.assert_close(own.pooling(hidden), attention, atol=1e-5, rtol=1e-4)
    held = load_file(tmp_path / "model.safetensors")
    written = file_tensors(own.config, own.state_dict())
    name = "vision_model.head.attention.in_proj_weight"
    assert torch.equal(written[name], held.get(name, held.get(name.removeprefix("vision_model."))))


@pytest.mark.parametrize("kind", ["dinov2", "dinov2-with-registers"])
@torch.no_grad()
def test_positions_are_resampled_as_transformers_does(copy_checkpoint, kind, pixel_values):
    folder = copy_checkpoint(kind=kind, image_size=56)
    side = {"height": 32, "width": 32}
    change(folder / "preprocessor_config.json", size=side)
    own = load_model(examine_checkpoint(folder))
    stock = getattr(transformers, own.config.name).from_pretrained(folder).eval()
    torch.testing.assert_close(own(pixel_values), stock(pixel_values).logits, atol=1e-5, rtol=1e-4)


def test_positions_of_other_families_are_not_resampled(copy_checkpoint):
    folder = copy_checkpoint(kind="clip", image_size=56)
    change(folder / "preprocessor_config.json", size={"height": 32, "width": 32})
    assert refusal(folder).startswith("Its processor does not fit: it makes pictures of 32x32, the model takes 56x56.")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("vit", "deit")])
def test_tensors_that_are_missing_left_over_or_of_another_shape_are_named(copy_checkpoint, kind):
    folder = copy_checkpoint(kind=kind)
    held = load_file(folder / "model.safetensors")
    norm = next(name for name in held if ".1." in name and "norm" in name)
    rewrite(folder, drop(norm))
    assert f"1 tensor is missing from the file, such as {norm}" in refusal(folder)
    save_file(held | {norm: torch.zeros(31)}, folder / "model.safetensors")
    assert f"1 tensor is of another shape, such as {norm} (31 in the file, 32 by config.json)." in refusal(folder)
    save_file(held | {"surprise.weight": torch.zeros(2)}, folder / "model.safetensors")
    assert "1 tensor is left over that the model does not have, such as surprise.weight." in refusal(folder)


@pytest.mark.parametrize("count", [0, 2, 5])
def test_registers_that_config_and_file_count_differently_are_refused(copy_checkpoint, count):
    folder = copy_checkpoint(kind="dinov2-with-registers")
    change(folder / "config.json", num_register_tokens=count)
    said, name = refusal(folder), "dinov2_with_registers.embeddings.register_tokens"
    other = f"such as {name} (1x4x32 in the file, 1x{count}x32 by config.json)."
    assert (other if count else f"left over that the model does not have, such as {name}.") in said


def test_a_tower_for_text_is_ignored_and_not_read(copy_checkpoint, pixel_values):
    folder = copy_checkpoint(kind="clip")
    own = load_model(examine_checkpoint(folder))
    beside = {"text_model.embeddings.token_embedding.weight": torch.full((9, 4), torch.nan)}
    beside |= {"visual_projection.weight": torch.zeros(7, 32), "logit_scale": torch.zeros(())}
    rewrite(folder, lambda tensors: tensors.update(beside))
    torch.testing.assert_close(load_model(examine_checkpoint(folder))(pixel_values), own(pixel_values))


@pytest.mark.parametrize("kind", ["siglip", "dinov2-gated"])
def test_half_and_split_files_are_read(make_checkpoint, kind):
    whole = load_model(examine_checkpoint(make_checkpoint(kind=kind))).state_dict()
    split = load_model(examine_checkpoint(make_checkpoint(kind=kind, shard_size="50KB"))).state_dict()
    assert all(torch.equal(tensor, split[name]) for name, tensor in whole.items())
    half = load_model(examine_checkpoint(make_checkpoint(kind=kind, half=True))).state_dict()
    torch.testing.assert_close(half, whole, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("config", "cause"),
    [
        ({"architectures": ["SwinForImageClassification"], "model_type": "swin"}, "It is a SwinForImageClassif"),
        ({"architectures": ["BeitForImageClassification"], "model_type": "beit"}, "It is a BeitForImageClassif"),
        ({"architectures": ["CLIPModel"], "model_type": "clip"}, "It is a CLIPModel, but only ViTForImageClass"),
        ({"model_type": "convnext"}, "It is a convnext, but only ViTForImageClassification, DeiTFor"),
        ({"model_type": "clip", "vision_config": 3}, "vision_config is 3, not a description of the vision tower."),
        ({"model_type": "siglip", "vision_config": {"image_size": "x"}}, "image_size is 'x', not a side in pixels"),
        ({"model_type": "dinov2", "mlp_ratio": -1}, "mlp_ratio is -1, not a number above 0"),
        ({"model_type": "dinov2", "use_swiglu_ffn": 1}, "use_swiglu_ffn is 1, not true or false."),
        ({"model_type": "dinov2_with_registers", "num_register_tokens": -2}, "num_register_tokens is -2, not a whole"),
        ({"model_type": "clip", "vision_config": {"hidden_size": 33}}, "num_attention_heads is 12, not a divisor"),
    ],
)  # fmt: skip
def test_what_is_no_known_family_is_named(config, cause):
    with pytest.raises(CheckpointError) as caught:
        read_architecture(config)
    assert cause in str(caught.value)


def test_several_labels_and_one_are_counted():
    for labels in (("AI", "Deepfake", "Real"), ("Fake",)):
        config = json.loads(stock_config("siglip", labels=labels).to_json_string()) | {"architectures": None}
        assert read_architecture(config).num_labels == len(labels)
