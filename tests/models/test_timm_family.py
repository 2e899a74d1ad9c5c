"""timm's plain vision transformers: logits against its own, and what is refused."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
import timm
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file
from timm.models._hub import save_for_hf

from tests.checkpoints.test_doctor import change, refusal
from virtus.checkpoints.bundled import bundled_folder
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.examine import examine_checkpoint, load_model
from virtus.checkpoints.load import load_checkpoint
from virtus.faces import whole_image
from virtus.labels import label_names
from virtus.models.families import classifier_config, describe, read_architecture
from virtus.models.packed import pack_folder
from virtus.models.preprocessing import TimmTransform
from virtus.models.tensors import file_tensors
from virtus.models.trunk import Trunk

TINY = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 3, "num_heads": 2}
CFG = {"input_size": [3, 32, 32], "crop_pct": 1.0, "crop_mode": "squash", "mean": [0.5] * 3, "std": [0.5] * 3}
CFG |= {"interpolation": "bicubic", "num_classes": 2, "first_conv": "patch_embed.proj", "classifier": "head"}
CALIBRATION = {"temperature": 2.0, "bias": 1.0, "real_below": 0.3, "fake_above": 0.7}
CLIP = "vit_base_patch16_clip_quickgelu_224"
KINDS = {
    "plain": ("vit_base_patch16_224", {}),
    "no-qkv-bias": ("vit_small_patch32_384", {"qkv_bias": False, "act_layer": "relu"}),
    "mean": ("vit_base_patch16_224", {"global_pool": "avg", "drop_path_rate": 0.1}),
    "mean-of-normed": ("vit_base_patch16_224", {"global_pool": "avg", "fc_norm": False}),
    "class-token-normed-alone": ("vit_base_patch16_224", {"fc_norm": True}),
    "no-norm": ("vit_base_patch16_224", {"final_norm": False}),
    "clip": (CLIP, {}),
    "clip-mean": ("vit_base_patch32_clip_224", {"global_pool": "avg"}),
    "deit": ("deit_base_patch16_224", {}),
    "deit-distilled": ("deit_base_distilled_patch16_224", {}),
    "deit3": ("deit3_base_patch16_224", {}),
    "dinov2": ("vit_base_patch14_dinov2", {}),
    "registers": ("vit_base_patch14_reg4_dinov2", {}),
    "registers-mean": ("vit_medium_patch16_reg4_gap_256", {}),
    "no-class-token": ("vit_medium_patch16_gap_256", {"init_values": None}),
    "siglip": ("vit_so400m_patch16_siglip_256", {}),
    "siglip-mean": ("vit_base_patch16_siglip_gap_224", {}),
}


def write_timm(folder, kind="plain", *, wrapped=True, dtype=torch.float32, shard_size="5GB"):
    """A tiny model of random weights as transformers saves it, or else as timm itself does: its model in float32."""
    architecture, arguments = KINDS[kind]
    config = {"architecture": architecture, "num_classes": 2, "model_args": TINY | arguments, "pretrained_cfg": CFG}
    config |= {"label_names": ["Real", "Fake"]}
    read = transformers.TimmWrapperConfig.from_dict(config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = transformers.TimmWrapperForImageClassification(read).eval()
        for tensor in model.parameters():
            torch.nn.init.normal_(tensor, std=0.2)
    if wrapped:
        model.to(dtype).save_pretrained(folder, max_shard_size=shard_size)
        return model.float()
    (folder / "config.json").write_text(json.dumps(config))
    save_file(
        {name: tensor.to(dtype) for name, tensor in model.timm_model.state_dict().items()}, folder / "model.safetensors"
    )
    return model.to(dtype).float()


def draw(side=32):
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def logits_of(folder, precision="float32"):
    trunk = Trunk(load_model(examine_checkpoint(folder)), device=torch.device("cpu"), precision=precision)
    return trunk.logits(trunk.embed(draw()))


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_logits_are_those_of_timm(tmp_path, kind):
    expected = write_timm(tmp_path, kind)(draw()).logits
    torch.testing.assert_close(logits_of(tmp_path), expected, atol=1e-4, rtol=1e-4)
    p_fake = logits_of(tmp_path, "bfloat16").softmax(-1)
    torch.testing.assert_close(p_fake, expected.softmax(-1), atol=0.02, rtol=0)


@pytest.mark.parametrize("kind", ["plain", "deit-distilled", "registers"])
@torch.no_grad()
def test_files_of_timm_itself_are_read(tmp_path, kind):
    expected = write_timm(tmp_path, kind, wrapped=False)(draw()).logits
    torch.testing.assert_close(logits_of(tmp_path), expected, atol=1e-4, rtol=1e-4)


def test_the_oldest_configs_of_timm_are_read(tmp_path):
    write_timm(tmp_path, wrapped=False)
    examined = examine_checkpoint(tmp_path)
    config = CFG | {"architecture": KINDS["plain"][0], "model_args": TINY, "labels": ["Real", "Fake"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert examine_checkpoint(tmp_path) == examined


@pytest.mark.parametrize(
    "name", ["vit_tiny_patch16_224", "vit_base_patch16_clip_quickgelu_224", "vit_base_patch14_dinov2"]
)
@torch.no_grad()
def test_what_timm_itself_saves_for_the_hub_is_read(tmp_path, name):
    """With the arguments that it writes of every model, num_classes and in_chans among them."""
    model = timm.create_model(name, num_classes=2, global_pool="avg", **TINY).eval()
    for tensor in model.parameters():
        torch.nn.init.normal_(tensor, std=0.2)
    save_for_hf(model, tmp_path, model_config={"label_names": ["human", "ai"]}, safe_serialization=True)
    arguments = json.loads((tmp_path / "config.json").read_text())["model_args"]
    assert {"num_classes", "in_chans"} <= arguments.keys()
    torch.testing.assert_close(logits_of(tmp_path), model(draw()), atol=1e-4, rtol=1e-4)


def test_labels_and_their_number_may_stand_in_the_pretrained_cfg(tmp_path):
    """Where timm itself puts them while it reads."""
    write_timm(tmp_path, wrapped=False)
    examined = examine_checkpoint(tmp_path)
    config = {"architecture": KINDS["plain"][0], "model_args": TINY}
    config["pretrained_cfg"] = CFG | {"label_names": ["Real", "Fake"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert examine_checkpoint(tmp_path) == examined
    del config["pretrained_cfg"]["label_names"]
    config["pretrained_cfg"]["num_classes"] = 1
    assert label_names(describe(config)) == ["LABEL_0"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_half_precision_and_shards_are_read(tmp_path, dtype):
    expected = write_timm(tmp_path, "clip", dtype=dtype, shard_size="30KB")(draw()).logits
    assert len(examine_checkpoint(tmp_path).weights) > 1
    torch.testing.assert_close(logits_of(tmp_path), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ["clip", "registers-mean", "siglip", "deit-distilled"])
@torch.no_grad()
def test_what_is_packed_loads_in_a_plain_pipeline_with_the_same_logits(tmp_path, make_image, kind):
    write_timm(tmp_path, kind)
    pack_folder(tmp_path)
    pipe = transformers.pipeline("image-classification", str(tmp_path), device="cpu")
    torch.testing.assert_close(logits_of(tmp_path), pipe.model(draw()).logits, atol=1e-4, rtol=1e-4)
    image, examined = make_image(40, 30), examine_checkpoint(tmp_path)
    ours = load_model(examined)(torch.from_numpy(examined.transform(image))[None]).softmax(-1)[0]
    for answer in pipe(image):
        assert answer["score"] == pytest.approx(float(ours[["Real", "Fake"].index(answer["label"])]), abs=1e-4)


def check_p_of_a_plain_pipeline(folder, image):
    """That of the detector without a calibration, in float32, of the same picture."""
    pipe = transformers.pipeline("image-classification", str(folder), device="cpu", dtype=torch.float32)
    theirs = {answer["label"]: answer["score"] for answer in pipe(image)}
    loaded = load_checkpoint(str(folder), device="cpu", precision="float32")
    loaded = replace(loaded, info=replace(loaded.info, calibration=None))
    (ours,) = Detector(loaded).predict([whole_image(image)])
    assert ours.p_fake == pytest.approx(theirs["Fake"], abs=1e-4)


def test_uncalibrated_p_is_that_of_a_plain_pipeline(tmp_path, make_image):
    write_timm(tmp_path, "clip")
    pack_folder(tmp_path)
    (tmp_path / "virtus.json").write_text(json.dumps({"calibration": CALIBRATION}))
    check_p_of_a_plain_pipeline(tmp_path, make_image(40, 30))


@pytest.mark.skipif(not bundled_folder("virtus-base"), reason="virtus-base does not lie in this clone")
def test_uncalibrated_p_of_virtus_base_is_that_of_a_plain_pipeline(astronaut):
    with Image.open(astronaut) as image:
        check_p_of_a_plain_pipeline(bundled_folder("virtus-base"), image.convert("RGB"))


def test_neither_library_is_needed(tmp_path):
    write_timm(tmp_path, "clip")
    pack_folder(tmp_path)
    code = """
import sys
sys.modules |= {"timm": None, "compressed_tensors": None, "transformers": None}  # imports of them fail
from virtus.checkpoints import load_checkpoint
print(load_checkpoint(sys.argv[1], device="cpu").architecture)
"""
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (run.stdout.strip(), run.returncode) == ("TimmWrapperForImageClassification", 0), run.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_has_the_names_that_timm_has(tmp_path, kind):
    write_timm(tmp_path, kind)
    config, held = json.loads((tmp_path / "config.json").read_text()), load_file(tmp_path / "model.safetensors")
    architecture = read_architecture(config)
    written = file_tensors(architecture, load_model(examine_checkpoint(tmp_path)).state_dict())
    assert written.keys() == held.keys()
    assert all(torch.equal(tensor, held[name]) for name, tensor in written.items())
    described = classifier_config(architecture, config | {"quantization_config": {}}, {0: "Fake", 1: "Real"})
    assert "quantization_config" not in described
    assert transformers.TimmWrapperConfig.from_dict(described).id2label == {0: "Fake", 1: "Real"}


def test_the_transform_is_of_the_pretrained_cfg_unless_another_processor_lies_beside(tmp_path):
    write_timm(tmp_path)
    expected = TimmTransform((32, 32), (0.5,) * 3, (0.5,) * 3, 3, (32, 32), crop_mode="squash")
    assert examine_checkpoint(tmp_path).transform == expected
    processor = {"image_processor_type": "TimmWrapperImageProcessor", "pretrained_cfg": {"input_size": [3, 9, 9]}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    assert examine_checkpoint(tmp_path).transform == expected
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(expected.to_config()))
    assert not isinstance(examine_checkpoint(tmp_path).transform, TimmTransform)


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (
            {"architecture": "swin_base_patch4_window7_224"},
            "It is a swin_base_patch4_window7_224 of timm, of which only",
        ),
        ({"architecture": 3}, "architecture is 3, not a name of timm's"),
        ({"label_names": ["Real", "Fake", "AI"]}, "2 tensors are of another shape, such as timm_model.head.bias"),
        ({"label_names": None}, "'LABEL_0' and 'LABEL_1' do not say which is real"),
        ({"pretrained_cfg": [1]}, "pretrained_cfg is [1], not values by name"),
        ({"pretrained_cfg": CFG | {"input_size": [3, 64, 64]}}, "makes pictures of 64x64, the model takes 32x32"),
        ({"model_args": ["depth"]}, "model_args is ['depth'], not values by name"),
        ({"model_args": TINY | {"qk_norm": True}}, "model_args is 'qk_norm', not an argument of a plain vision transf"),
        (
            {"model_args": TINY | {"dynamic_img_pad": True}},
            "model_args is 'dynamic_img_pad', not an argument of a plain",
        ),
        ({"global_pool": "avg"}, "global_pool is 'avg', not token, as timm would make a vit_base_patch16_224"),
        ({"model_args": TINY | {"depth": 0}}, "depth is 0, not a whole number from 1 on"),
        ({"model_args": TINY | {"global_pool": "max"}}, "global_pool is 'max', not one of token, avg, map"),
        ({"model_args": TINY | {"class_token": False}}, "global_pool is 'token', not one that needs no class token"),
        ({"model_args": TINY | {"act_layer": "mish"}}, "act_layer is 'mish', not one of gelu, gelu_tanh"),
        ({"model_args": TINY | {"mlp_ratio": 1e9}}, "mlp_ratio is 1000000000.0, not a number above 0, at most 64"),
        ({"model_args": TINY | {"reg_tokens": -1}}, "reg_tokens is -1, not a whole number from 0 on"),
        ({"model_args": TINY | {"reg_tokens": 2}}, "1 tensor is missing from the file, such as timm_model.reg_token"),
        (
            {"model_args": TINY | {"init_values": 0.1}},
            "6 tensors are missing from the file, such as timm_model.blocks.0.ls1",
        ),
        (
            {"model_args": TINY | {"depth": 2}},
            "12 tensors are left over that the model does not have, such as timm_mod",
        ),
        (
            {"model_args": TINY | {"mlp_ratio": 2}},
            "9 tensors are of another shape, such as timm_model.blocks.0.mlp.fc1.b",
        ),
        ({"model_args": TINY | {"img_size": 64}}, "makes pictures of 32x32, the model takes 64x64"),
    ],
    ids=str,
)
def test_configs_that_do_not_fit_are_refused_with_the_cause(plain_folder, tmp_path, edit, cause):
    for file in plain_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    change(tmp_path / "config.json", **edit)
    assert cause in refusal(tmp_path)


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("timm")
    write_timm(folder)
    return folder
