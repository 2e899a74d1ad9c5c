"""GenD's own layout against a twin of its published forward pass, on tiny encoders, and what of it is refused."""

import json

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.models.bit.image_processing_pil_bit import BitImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from tests.checkpoints.test_doctor import change, refusal
from virtus.checkpoints.examine import examine_checkpoint, load_model
from virtus.models import gend_families
from virtus.models.families import classifier_config, read_architecture, read_transform
from virtus.models.tensors import file_tensors
from virtus.models.trunk import Trunk

SIZES = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}
IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
NAMES = {
    "CLIP": ("openai/clip-vit-base-patch16", {"image_size": 224, "patch_size": 56}),
    "DINOv2": ("facebook/dinov2-small", {"image_size": 280, "patch_size": 56, "mlp_ratio": 2}),
    "DINOv2 with registers": (
        "facebook/dinov2-with-registers-base",
        {"image_size": 280, "patch_size": 56, "mlp_ratio": 2, "num_register_tokens": 4},
    ),
    "DINOv3": (
        "facebook/dinov3-vitl16-pretrain-lvd1689m",
        {"image_size": 224, "patch_size": 56, "num_register_tokens": 4},
    ),
}


class Twin(nn.Module):
    """What GenD's modeling_gend.py does, around encoders of transformers."""

    def __init__(self, kind, head):
        super().__init__()
        sizes, self.normalised, self.kind = SIZES | NAMES[kind][1], head == "LinearNorm", kind
        self.feature_extractor, self.model = nn.Module(), nn.Module()
        if kind == "CLIP":
            clip = transformers.CLIPModel(transformers.CLIPConfig(vision_config=sizes))
            self.feature_extractor.vision_model = clip.vision_model
            self.feature_extractor.visual_projection = clip.visual_projection
        else:
            name = {"DINOv2": "Dinov2", "DINOv3": "DINOv3ViT"}.get(kind, "Dinov2WithRegisters")
            config = getattr(transformers, f"{name}Config")(**sizes)
            self.feature_extractor.backbone = getattr(transformers, f"{name}Model")(config)
        self.model.linear = nn.Linear(32, 2)
        for tensor in self.parameters():
            nn.init.normal_(tensor, std=0.2)

    @torch.no_grad()
    def forward(self, pixel_values):
        if self.kind == "CLIP":
            features = self.feature_extractor.vision_model(pixel_values).pooler_output
        else:
            features = self.feature_extractor.backbone(pixel_values).last_hidden_state[:, 0]
        features = nn.functional.normalize(features, p=2, dim=1) if self.normalised else features
        return self.model.linear(features)


@pytest.fixture
def tiny_encoders(monkeypatch):
    """The names of published encoders stand for tiny ones."""

    def sizes(name):
        return next((kind, SIZES | tiny) for kind, (known, tiny) in NAMES.items() if known == name)

    monkeypatch.setattr(gend_families, "_encoder", lambda config: sizes(config["backbone"]))


def write_gend(folder, kind, head="LinearNorm", *, published=True, dtype=torch.float32):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        twin = Twin(kind, head).eval()
    tensors = twin.state_dict()
    if published:  # an encoder's names in a file are those of version 4 of transformers, in which GenD was saved
        part = "vision_model" if kind == "CLIP" else "backbone"
        encoder = getattr(twin.feature_extractor, part)
        encoder.save_pretrained(folder)
        held = {
            f"feature_extractor.{part}.{name.removeprefix('vision_model.')}": tensor
            for name, tensor in load_file(folder / "model.safetensors").items()
        }
        tensors = held | {name: tensor for name, tensor in tensors.items() if f".{part}." not in name}
    save_file({name: tensor.to(dtype) for name, tensor in tensors.items()}, folder / "model.safetensors")
    config = {"architectures": ["GenD"], "backbone": NAMES[kind][0], "head": head, "model_type": "GenD"}
    (folder / "config.json").write_text(json.dumps(config | {"dtype": "float32", "transformers_version": "4.56.2"}))
    return twin.to(dtype).float()


def draw():
    return torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def logits_of(folder, precision="float32"):
    trunk = Trunk(load_model(examine_checkpoint(folder)), device=torch.device("cpu"), precision=precision)
    return trunk.logits(trunk.embed(draw()))


@pytest.mark.usefixtures("tiny_encoders")
@pytest.mark.parametrize("published", [True, False])
@pytest.mark.parametrize("head", ["LinearNorm", "linear"])
@pytest.mark.parametrize("kind", NAMES)
def test_logits_are_those_of_the_published_forward_pass(tmp_path, kind, head, published):
    expected = write_gend(tmp_path, kind, head, published=published)(draw())
    torch.testing.assert_close(logits_of(tmp_path), expected, atol=1e-4, rtol=1e-4)
    p_fake = logits_of(tmp_path, "bfloat16").softmax(-1)
    torch.testing.assert_close(p_fake, expected.softmax(-1), atol=0.02, rtol=0)
    assert examine_checkpoint(tmp_path).outputs.fake == (1,)  # by its own app/run.py


@pytest.mark.usefixtures("tiny_encoders")
@pytest.mark.parametrize("kind", NAMES)
def test_what_is_written_has_the_names_that_gend_has(tmp_path, kind):
    write_gend(tmp_path, kind, dtype=torch.bfloat16)
    config, held = json.loads((tmp_path / "config.json").read_text()), load_file(tmp_path / "model.safetensors")
    architecture = read_architecture(config)
    written = file_tensors(architecture, load_model(examine_checkpoint(tmp_path)).state_dict())
    assert {name for name in held if not any(part in name for part in gend_families.UNUSED)} == written.keys()
    assert all(torch.equal(tensor, held[name].float()) for name, tensor in written.items() if "position" not in name)
    assert classifier_config(architecture, config, {0: "real", 1: "fake"}) == config | {
        "id2label": {"0": "real", "1": "fake"}
    }


@pytest.mark.parametrize(
    ("name", "sizes", "size", "crop"),
    [
        ("openai/clip-vit-large-patch14", (1024, 24, 16, 4096, 14, 224), 224, 224),
        ("openai/clip-vit-large-patch14-336", (1024, 24, 16, 4096, 14, 336), 336, 336),
        ("openai/clip-vit-base-patch32", (768, 12, 12, 3072, 32, 224), 224, 224),
        ("facebook/dinov2-large", (1024, 24, 16, 4096, 14, 518), 256, 224),
        ("facebook/dinov2-with-registers-giant", (1536, 40, 24, 4096, 14, 518), 256, 224),
        ("facebook/dinov3-vitl16-pretrain-lvd1689m", (1024, 24, 16, 4096, 16, 224), (224, 224), 224),
        ("facebook/dinov3-vits16-pretrain-lvd1689m", (384, 12, 6, 1536, 16, 224), (224, 224), 224),
    ],
)
def test_an_encoder_is_known_by_its_name(name, sizes, size, crop):
    config = {"model_type": "GenD", "architectures": ["GenD"], "backbone": name, "head": "LinearNorm"}
    own, transform = read_architecture(config), read_transform(config, None)
    counts = own.hidden_size, own.num_hidden_layers, own.num_attention_heads, own.intermediate_size
    assert (*counts, own.patch_size[0], own.image_size[0]) == sizes
    assert (own.l2_features, own.pooling, own.final_norm, own.num_labels) == (True, "cls", "tokens", 2)
    assert (own.hidden_act == "quick_gelu") == ("clip" in name)
    assert own.gated_mlp == ("giant" in name)
    assert own.num_register_tokens == (4 if "registers" in name or "dinov3" in name else 0)
    assert (transform.size, transform.input_size) == (size, (crop, crop))
    assert transform.mean[0] == (0.48145466 if "clip" in name else 0.485)


@pytest.mark.parametrize(
    ("name", "processor", "atol"),
    [
        ("openai/clip-vit-large-patch14", CLIPImageProcessorPil(), 1e-5),
        ("facebook/dinov2-base", BitImageProcessorPil(size={"shortest_edge": 256}, **IMAGENET), 1e-5),
        # torchvision resizes what is scaled to [0, 1] already: up to one of 255 steps apart.
        ("facebook/dinov3-vitb16-pretrain-lvd1689m", transformers.DINOv3ViTImageProcessor(), 1.01 / 255 / 0.224),
    ],
    ids=lambda value: value.split("/")[1] if isinstance(value, str) else "",
)
def test_the_transform_is_that_of_the_encoders_own_processor(make_image, name, processor, atol):
    image = make_image(300, 280)
    ours = read_transform({"model_type": "GenD", "backbone": name}, None)(image)
    np.testing.assert_allclose(ours, np.asarray(processor(image)["pixel_values"][0]), atol=atol)


@pytest.mark.parametrize(
    ("edit", "cause"),
    [
        (
            {"backbone": "vit_pe_core_large_patch14_336"},
            "It is a GenD of vit_pe_core_large_patch14_336, but only",
        ),
        ({"backbone": "laion/CLIP-ViT-H-14"}, "It is a GenD of laion/CLIP-ViT-H-14, but only those of CLIP, DINOv2, "),
        ({"backbone": 3}, "backbone is 3, not the name of an encoder"),
        ({"head": "MLP"}, "head is 'MLP', not one of linear, LinearNorm"),
        ({"backbone": "openai/clip-vit-large-patch14"}, "such as feature_extractor.vision_model."),
    ],
    ids=str,
)
@pytest.mark.usefixtures("tiny_encoders")
def test_what_does_not_fit_is_refused_with_the_cause(tmp_path, monkeypatch, edit, cause):
    write_gend(tmp_path, "CLIP")
    monkeypatch.undo()
    change(tmp_path / "config.json", **edit)
    assert cause in refusal(tmp_path)
