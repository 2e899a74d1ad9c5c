"""Weights of int8 with a scale for each row: against compressed-tensors' own classes, and refused where they differ."""

import copy
import json

import pytest
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationConfig
from safetensors.torch import load_file, save_file

from tests.checkpoints.test_doctor import change, refusal
from virtus.checkpoints.examine import examine_checkpoint, load_model
from virtus.errors import CheckpointError
from virtus.models.packed import float_shapes, is_packed, pack, pack_folder, unpack
from virtus.models.weights import read_headers, read_tensors

BLOCK = "vit.encoder.layer.1.intermediate.dense.weight"


def draw(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def make_packed(folder, edit=len):
    """Pack a folder's weights in place, and change their tensors by `edit`."""
    pack_folder(folder)
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_rows_by_hand():
    weight = torch.tensor([[254.0, -1.0, 127.0], [0.0, 0.0, 0.0], [-0.635, 0.1, 0.0]])
    packed, _ = pack({"blocks.0.fc.weight": weight})
    whole, scale = packed["blocks.0.fc.weight"], packed["blocks.0.fc.weight_scale"]
    assert (whole.dtype, scale.dtype, scale.shape) == (torch.int8, torch.float32, (3, 1))
    assert whole.tolist() == [[127, 0, 64], [0, 0, 0], [-127, 20, 0]]  # -1 / 2 and 127 / 2 go to the even number
    torch.testing.assert_close(scale[:, 0], torch.tensor([2.0, 1.0, 0.005]))


@pytest.mark.parametrize("form", ["int-quantized", "naive-quantized"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_products_are_those_of_compressed_tensors(form, dtype):
    packed, packing = pack({"layers.0.weight": draw(24, 16)})
    config = QuantizationConfig.model_validate(packing)
    compressor = BaseCompressor.get_value_from_registry(form)
    whole, scale = packed["layers.0.weight"], packed["layers.0.weight_scale"].to(dtype)
    theirs = compressor.decompress({"weight": whole, "weight_scale": scale}, config.config_groups["group_0"])["weight"]
    assert torch.equal(unpack("layers.0.weight", whole, scale), theirs.float())


def test_what_we_pack_is_what_compressed_tensors_packs():
    packed, packing = pack({"layers.0.weight": draw(24, 16)})
    compressor = BaseCompressor.get_value_from_registry(packing["format"])
    scheme = QuantizationConfig.model_validate(packing).config_groups["group_0"]
    weight = {"weight": draw(24, 16), "weight_scale": packed["layers.0.weight_scale"]}
    assert torch.equal(compressor.compress(weight, scheme)["weight"], packed["layers.0.weight"])


def test_rows_that_were_packed_before_stay_what_they_are_to_the_last_bit():
    whole = torch.randint(-127, 128, (500, 40), generator=torch.Generator().manual_seed(0))
    whole[:, 0] = 127
    scale = draw(500, 1).abs() / 100 + 1e-6
    weight = whole * scale
    packed, _ = pack({"layers.0.weight": weight})
    assert torch.equal(unpack("", packed["layers.0.weight"], packed["layers.0.weight_scale"]), weight)


def test_only_matrices_of_blocks_are_packed():
    tensors = {"head.weight": draw(2, 16), "blocks.0.norm.weight": draw(16), "patch.weight": draw(16, 3, 4, 4)}
    packed, packing = pack(tensors | {"blocks.0.fc.weight": draw(8, 16)})
    assert all(packed[name] is tensor for name, tensor in tensors.items())
    assert packing["ignore"] == ["head"]
    with pytest.raises(ValueError, match="not finite"):
        pack({"blocks.0.fc.weight": torch.full((2, 2), float("nan"))})


def test_a_packed_checkpoint_loads_as_its_products(copy_checkpoint, make_checkpoint):
    folder = make_packed(copy_checkpoint())
    loaded, plain = (load_model(examine_checkpoint(path)).state_dict() for path in (folder, make_checkpoint()))
    assert {tensor.dtype for tensor in loaded.values()} == {torch.float32}
    for name, tensor in plain.items():
        largest = tensor.abs().amax(dim=1, keepdim=True) if "layers" in name and tensor.ndim == 2 else torch.zeros(1)
        assert bool(((loaded[name] - tensor).abs() <= largest / 127 / 2 * 1.001).all())  # half a step


def test_scales_may_lie_in_another_shard(tmp_path):
    packed, _ = pack({"blocks.0.weight": draw(8, 4), "other": draw(3)})
    files = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    save_file({"blocks.0.weight": packed["blocks.0.weight"]}, files[0])
    save_file({name: tensor for name, tensor in packed.items() if name != "blocks.0.weight"}, files[1])
    assert float_shapes(read_headers(files), packed=True) == {"blocks.0.weight": (8, 4), "other": (3,)}
    tensors = dict(read_tensors(files, {"blocks.0.weight"}))
    expected = unpack("", packed["blocks.0.weight"], packed["blocks.0.weight_scale"])
    assert tensors.keys() == {"blocks.0.weight"}
    assert torch.equal(tensors["blocks.0.weight"], expected)


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (lambda _: None, "missing."),
        (lambda scale: scale[:-1].clone(), "F32 of shape [63, 1]."),
        (lambda scale: scale.int(), "I32 of shape [64, 1]."),
    ],
    ids=["missing", "short", "whole"],
)
def test_scales_that_do_not_fit_are_refused(copy_checkpoint, edit, cause):
    def change_scale(tensors):
        scale = edit(tensors.pop(BLOCK + "_scale"))
        tensors |= {} if scale is None else {BLOCK + "_scale": scale}

    said = refusal(make_packed(copy_checkpoint(), change_scale))
    assert said == f"{BLOCK}_scale, a float for each row of int8 [64, 32], is {cause}"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -0.1])
def test_scales_that_nothing_can_be_multiplied_by_are_refused(copy_checkpoint, value):
    folder = make_packed(copy_checkpoint(), lambda tensors: tensors[BLOCK + "_scale"][3].fill_(value))
    with pytest.raises(CheckpointError, match="damaged") as caught:
        load_model(examine_checkpoint(folder))
    assert str(caught.value).endswith(f"{BLOCK}_scale holds scales that are not finite numbers above 0.")


def test_a_row_of_zeros_has_a_scale_that_is_none_and_comes_back(copy_checkpoint):
    """By the rule of the others it would be 0. Neither compressed-tensors nor we write that: 0 is refused above."""
    folder = copy_checkpoint()
    tensors = load_file(folder / "model.safetensors")
    tensors[BLOCK][3] = 0
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    loaded = dict(read_tensors(examine_checkpoint(make_packed(folder)).weights, {BLOCK}))
    assert not loaded[BLOCK][3].any()
    assert bool(loaded[BLOCK][2].any())
    load_model(examine_checkpoint(folder))


@pytest.mark.parametrize("kept", [4, 100, -20_000, -1])
def test_a_packed_file_that_was_cut_off_is_refused(copy_checkpoint, kept):
    file = make_packed(copy_checkpoint()) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    assert refusal(file.parent).startswith("model.safetensors is no whole safetensors file")


def test_a_packed_shard_that_is_missing_is_named(tmp_path):
    packed, _ = pack({"blocks.0.weight": draw(8, 4)})
    save_file({"blocks.0.weight": packed["blocks.0.weight"]}, tmp_path / "a.safetensors")
    with pytest.raises(CheckpointError, match=r"blocks.0.weight_scale, a float for each row .* is missing"):
        float_shapes(read_headers([tmp_path / "a.safetensors"]), packed=True)


def test_whole_numbers_that_config_json_says_nothing_of_are_refused(copy_checkpoint):
    folder = make_packed(copy_checkpoint())
    change(folder / "config.json", quantization_config=None)
    cause = "holds numbers of type I8, and config.json does not say what they stand for."
    assert cause in refusal(folder)


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.float8_e4m3fn])
def test_numbers_of_other_types_are_refused(copy_checkpoint, dtype):
    def change_type(tensors):
        tensors[BLOCK] = tensors[BLOCK].to(dtype)

    assert "not as config.json says" in refusal(make_packed(copy_checkpoint(), change_type))


def test_a_scale_of_a_weight_that_needs_none_is_left_over(copy_checkpoint):
    folder = make_packed(copy_checkpoint(), lambda tensors: tensors.update({"classifier.weight_scale": draw(2, 1)}))
    assert "left over that the model does not have, such as classifier.weight_scale" in refusal(folder)


GROUP = "config_groups", "group_0"


@pytest.mark.parametrize(
    ("keys", "value", "cause"),
    [
        (("quant_method",), "bitsandbytes", "Its weights are stored by 'bitsandbytes' (quantization_config"),
        (("quant_method",), None, "Its weights are stored by None"),
        (("format",), "pack-quantized", "as format 'pack-quantized'"),
        (("format",), "dense", "as format 'dense'"),
        ((*GROUP, "format"), "float-quantized", "as format 'float-quantized'"),
        ((*GROUP, "weights", "num_bits"), 4, "with num_bits 4"),
        ((*GROUP, "weights", "type"), "float", "with type 'float'"),
        ((*GROUP, "weights", "strategy"), "group", "with strategy 'group'"),
        ((*GROUP, "weights", "strategy"), None, "with strategy None"),
        ((*GROUP, "weights", "symmetric"), False, "with symmetric False"),
        ((*GROUP, "weights", "dynamic"), True, "with dynamic True"),
        ((*GROUP, "weights"), None, "with weights None"),
        ((*GROUP, "input_activations"), {"num_bits": 8}, "with input_activations, which would be rounded too"),
        (GROUP, ["Linear"], "with weights None"),
        (("config_groups",), {}, "and config_groups does not say how"),
        (("config_groups",), "W8A16", "and config_groups does not say how"),
        (("kv_cache_scheme",), {"num_bits": 8}, "with kv_cache_scheme"),
        (("transform_config",), {"config_groups": {"R1": {"type": "hadamard"}}}, "with transform_config"),
        (("moe_sparsity_config",), {"experts": 2}, "with moe_sparsity_config"),
        (("sparsity_config",), {"format": "sparse-24-bitmask"}, "with sparsity_config, which leaves zeros out"),
        (("sparsity_config",), "sparse", "with sparsity_config, which leaves zeros out"),
        ((*GROUP, "weights", "group_size"), 128, "with group_size 128"),
        ((*GROUP, "weights", "block_structure"), [128, 128], "with block_structure [128, 128]"),
        ((*GROUP, "output_activations"), {"num_bits": 8}, "with output_activations, which would be rounded too"),
    ],
)
def test_other_arrangements_are_refused_by_name(keys, value, cause):
    packing = copy.deepcopy(pack({"blocks.0.weight": draw(2, 2)})[1])
    place = packing
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value
    with pytest.raises(CheckpointError) as caught:
        is_packed({"quantization_config": packing})
    assert cause in str(caught.value)
    assert "int8 with a scale for each row as compressed-tensors has it" in str(caught.value)


def test_what_compressed_tensors_itself_writes_is_read():
    packing = QuantizationConfig.model_validate(pack({"blocks.0.weight": draw(2, 2)})[1]).to_dict()
    assert is_packed({"quantization_config": json.loads(json.dumps(packing))})
    assert is_packed(
        {"quantization_config": packing | {"sparsity_config": {"format": "dense"}, "transform_config": {}}}
    )
    assert not is_packed({})
    with pytest.raises(CheckpointError, match="stored by None"):
        is_packed({"quantization_config": "int8"})
