"""What is trained of a base, and what the classifier in training does otherwise than in use."""

import copy
import json
import shutil

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from tests.conftest import stock_config
from tests.models.test_gend_families import draw, tiny_encoders, write_gend  # noqa: F401  a fixture
from tests.models.test_timm_family import write_timm
from train.config.settings import TrainConfig
from train.fit.model import Trainable, load_base, save_checkpoint
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import CheckpointError, DataError
from virtus.models.families import read_architecture
from virtus.models.packed import pack_folder, rounded

KINDS = ("vit", "deit", "siglip", "clip", "dinov2", "dinov2-with-registers")


def pictures(count=3):
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(0))


def base(make_checkpoint, **options):
    return load_base(str(make_checkpoint(**options))).classifier


def trained_names(model):
    return {name.removeprefix("classifier.") for name, tensor in model.named_parameters() if tensor.requires_grad}


@pytest.mark.parametrize("kind", KINDS)
def test_training_sees_some_patches_and_all_tokens_before_them(kind, make_checkpoint):
    classifier = base(make_checkpoint, kind=kind)
    num_prefix = classifier.config.num_prefix_tokens
    model = Trainable(classifier, keep_tokens=0.5).train()
    kept = model._draw_tokens(torch.zeros(3, num_prefix + 16, 4))
    assert kept.shape == (3, num_prefix + 8)
    assert kept[:, :num_prefix].tolist() == [list(range(num_prefix))] * 3
    assert all(len(set(row)) == 8 and min(row) >= num_prefix for row in kept[:, num_prefix:].tolist())
    whole, some = Trainable(copy.deepcopy(classifier)), model(pictures())["logits"]
    assert not torch.equal(some, whole.train()(pictures())["logits"])
    assert torch.equal(model.eval()(pictures())["logits"], whole(pictures())["logits"])


def test_keeping_tokens_is_dropping_the_others_where_they_stand(make_checkpoint):
    """A mean of the patches is that of those which are left."""
    classifier = base(make_checkpoint, kind="siglip")
    model = Trainable(classifier, keep_tokens=0.5).train()
    torch.manual_seed(1)
    logits = model(pictures())["logits"]
    torch.manual_seed(1)
    kept = model._draw_tokens(torch.zeros(3, 16, 4))
    hidden = classifier.embed(pictures())
    by_hand = [classifier.judge(hidden[[row]][:, places]) for row, places in enumerate(kept)]
    torch.testing.assert_close(logits, torch.cat(by_hand), atol=1e-5, rtol=1e-5)


def test_the_loss_is_the_cross_entropy(make_checkpoint):
    model, labels = Trainable(base(make_checkpoint)), torch.tensor([0, 1, 1])
    given = model(pictures(), labels)
    p = given["logits"].softmax(1)[range(3), labels]
    torch.testing.assert_close(given["loss"], -p.log().mean())


BLOCKS = {f"layers.{index}.layernorm_{place}.{part}" for index in range(3) for place in ("before", "after")
          for part in ("weight", "bias")}  # fmt: skip
HEAD = {"classifier.weight", "classifier.bias"}
NORM = {"layernorm.weight", "layernorm.bias"}
NORM_BEFORE = {"pre_layernorm.weight", "pre_layernorm.bias"}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("vit", BLOCKS | HEAD | NORM), ("clip", BLOCKS | HEAD | NORM_BEFORE), ("siglip", BLOCKS | HEAD | NORM)],
)
def test_layer_norms_are_all_of_them_and_the_head_and_nothing_else(kind, expected, make_checkpoint):
    """CLIP's classifier has a last norm in its files that nothing reads: it is not trained."""
    assert trained_names(Trainable(base(make_checkpoint, kind=kind), tune="layer_norms")) == expected


def test_the_last_blocks_are_trained_with_all_behind_them(make_checkpoint):
    model = Trainable(base(make_checkpoint), tune="last_blocks:2")
    names = set(read_architecture({"model_type": "vit", "num_hidden_layers": 3}).tensors())
    assert trained_names(model) == {name for name in names if name.startswith(("layers.1.", "layers.2."))} | HEAD | NORM


def test_all_of_a_model_is_trained_but_what_nothing_reads(make_checkpoint):
    classifier = base(make_checkpoint, kind="clip")
    unread = {name for name in dict(classifier.named_parameters()) if name.startswith("layernorm.")}
    assert trained_names(Trainable(classifier)) == set(dict(classifier.named_parameters())) - unread


def test_more_blocks_than_there_are_is_an_error(make_checkpoint):
    with pytest.raises(DataError, match="The base has 3 blocks; tune=last_blocks:4 asks for more"):
        Trainable(base(make_checkpoint), tune="last_blocks:4")


@pytest.mark.parametrize("tune", ["layer_norms", "last_blocks:1"])
@pytest.mark.parametrize("kind", ["vit", "clip", "dinov2"])
def test_what_is_frozen_stays_to_the_last_bit_and_all_else_moves(kind, tune, make_checkpoint):
    model = Trainable(base(make_checkpoint, kind=kind), tune=tune).train()
    before, now = copy.deepcopy(model.state_dict()), model.state_dict()
    optimizer = torch.optim.AdamW([tensor for tensor in model.parameters() if tensor.requires_grad], lr=0.01)
    model(pictures(), torch.tensor([0, 1, 1]))["loss"].backward()
    optimizer.step()
    moved = {name.removeprefix("classifier.") for name in before if not before[name].equal(now[name])}
    # What is added to all keys alike moves no softmax.
    assert not [name for name in trained_names(model) - moved if not name.endswith("k_proj.bias")]
    assert moved <= trained_names(model)


def test_below_the_first_trained_block_no_gradient_is_recorded(make_checkpoint):
    """What enters block 2 has no graph behind it, so no activation below was kept."""
    classifier, entered = base(make_checkpoint), []
    model = Trainable(classifier, tune="last_blocks:1").train()
    for block in classifier.blocks:
        block.register_forward_pre_hook(lambda _, inputs: entered.append(inputs[0].requires_grad))
    assert model(pictures())["logits"].requires_grad
    assert entered == [False, False, False]
    entered.clear()
    model = Trainable(classifier, tune="layer_norms").train()
    model(pictures())
    assert entered == [False, True, True]


@pytest.mark.parametrize("kind", ["vit", "deit"])
def test_an_l2_head_reads_features_of_length_1_and_stays_linear(kind, make_checkpoint):
    classifier = base(make_checkpoint, kind=kind)
    read = []
    model = Trainable(classifier, tune="layer_norms", head="l2")
    classifier.heads[0].register_forward_pre_hook(lambda _, inputs: read.append(inputs[0]))
    model(pictures())
    torch.testing.assert_close(read[0].norm(dim=1), torch.ones(3), atol=1e-4, rtol=0)
    assert trained_names(model) == BLOCKS | HEAD


def test_an_l2_head_on_clip_reads_its_class_token_in_timms_class(make_checkpoint, tmp_path):
    """CLIPForImageClassification reads the mean of the patches; timm's class is one that a plain pipeline loads."""
    start = load_base(str(make_checkpoint(kind="clip", labels=("cat", "dog"))), head="l2")
    save_checkpoint(start, TrainConfig("gend", "b", "d", tune="layer_norms"), tmp_path)
    model = transformers.AutoModelForImageClassification.from_pretrained(tmp_path)
    assert type(model).__name__ == "TimmWrapperForImageClassification"
    with torch.inference_mode():
        torch.testing.assert_close(model(pictures()).logits, start.classifier(pictures()), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("kind", "pooling"), [("siglip", "mean"), ("clip", "mean"), ("dinov2", "cls\\+mean")])
def test_an_l2_head_on_a_mean_of_patches_is_refused(kind, pooling, make_checkpoint):
    with pytest.raises(DataError, match=f"head=l2 needs .* reads {pooling}"):
        Trainable(base(make_checkpoint, kind=kind), head="l2")


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("vit", "ViTModel"),
        ("deit", "DeiTModel"),
        ("clip", "CLIPModel"),
        ("clip", "CLIPVisionModelWithProjection"),
        ("siglip", "SiglipModel"),
        ("siglip", "SiglipVisionModel"),
        ("dinov2", "Dinov2Model"),
    ],
)
@pytest.mark.parametrize("tune", ["full", "layer_norms"])
def test_a_backbone_without_a_head_becomes_what_plain_transformers_loads(kind, name, tune, make_checkpoint, tmp_path):
    """Frozen parts are saved as they were to the last bit; float16 only where all was trained."""
    config = stock_config(kind)
    backbone = getattr(transformers, name)(config.vision_config if "Vision" in name else config)
    backbone.save_pretrained(tmp_path)
    shutil.copy(make_checkpoint() / "preprocessor_config.json", tmp_path)
    start = load_base(str(tmp_path))
    save_checkpoint(start, TrainConfig("gend", "b", "d", tune=tune), tmp_path / "out")
    model = transformers.AutoModelForImageClassification.from_pretrained(tmp_path / "out")
    assert model.dtype == (torch.float16 if tune == "full" else torch.float32)
    expected = start.classifier(pictures())
    tolerance = 0.02 if tune == "full" else 1e-5
    with torch.inference_mode():
        torch.testing.assert_close(model.float()(pictures()).logits, expected, atol=tolerance, rtol=tolerance)


def test_a_head_that_tells_real_from_fake_is_kept_whatever_the_order(make_checkpoint):
    straight, turned = (load_base(str(make_checkpoint(labels=order))) for order in (("Real", "Fake"), ("fake", "real")))
    a, b = (start.classifier.judge(start.classifier.embed(pictures())) for start in (straight, turned))
    torch.testing.assert_close(a, b.flip(1))


@pytest.mark.parametrize("kind", ["clip", "deit-distilled", "registers-mean"])
def test_a_base_of_timm_is_saved_as_timms(kind, tmp_path):
    write_timm(tmp_path, kind)
    start = load_base(str(tmp_path))
    save_checkpoint(start, TrainConfig("gend", "b", "d", tune="layer_norms"), tmp_path / "out")
    model = transformers.AutoModelForImageClassification.from_pretrained(tmp_path / "out")
    with torch.inference_mode():
        torch.testing.assert_close(model(pictures()).logits, start.classifier(pictures()), atol=1e-4, rtol=1e-4)
    frozen = load_file(tmp_path / "model.safetensors"), load_file(tmp_path / "out" / "model.safetensors")
    assert all(frozen[0][name].equal(frozen[1][name]) for name in frozen[0])


def test_packed_weights_that_are_not_trained_are_saved_as_they_were_to_the_last_bit(tmp_path):
    write_timm(tmp_path, "clip")
    pack_folder(tmp_path)
    start, config = load_base(str(tmp_path)), TrainConfig("gend", "b", "d", tune="layer_norms", weights="int8")
    start.classifier.load_state_dict(rounded(start.classifier.state_dict()))
    save_checkpoint(start, config, tmp_path / "out")
    before, after = (load_file(folder / "model.safetensors") for folder in (tmp_path, tmp_path / "out"))
    assert before.keys() == after.keys()
    assert all(before[name].equal(after[name]) for name in before)
    model = transformers.AutoModelForImageClassification.from_pretrained(tmp_path / "out")
    with torch.inference_mode():
        torch.testing.assert_close(model(pictures()).logits, start.classifier(pictures()), atol=1e-4, rtol=1e-4)


def test_a_base_of_int8_weights_is_trained_from_their_products(copy_checkpoint, tmp_path):
    """And packed again what was left alone is what it was."""
    base, out = copy_checkpoint(), tmp_path / "out"
    pack_folder(base)
    save_checkpoint(load_base(str(base)), TrainConfig("gend", "b", "d", tune="layer_norms"), out)
    assert "quantization_config" not in json.loads((out / "config.json").read_text())
    pack_folder(out)
    before, after = (load_file(folder / "model.safetensors") for folder in (base, out))
    assert all(before[name].equal(after[name]) for name in before)


@pytest.mark.usefixtures("tiny_encoders")
def test_a_base_of_gend_keeps_its_layout_and_its_l2_head(tmp_path):
    expected = write_gend(tmp_path, "CLIP")(draw())
    start = load_base(str(tmp_path), head="l2")
    assert trained_names(Trainable(start.classifier, tune="layer_norms", head="l2")) >= NORM
    save_checkpoint(start, TrainConfig("gend", "b", "d", tune="layer_norms"), tmp_path / "out")
    again = load_checkpoint(str(tmp_path / "out"), precision="float32").trunk
    with torch.inference_mode():
        torch.testing.assert_close(again.logits(again.embed(draw())), expected, atol=1e-4, rtol=1e-4)


def test_a_head_for_other_classes_gives_way_to_a_new_one_by_the_seed(make_checkpoint):
    folder = str(make_checkpoint(labels=("cat", "dog", "bird")))
    first, again, other = (load_base(folder, seed=seed).classifier.heads[0].weight for seed in (1, 1, 2))
    assert first.shape == (2, 32)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    ("kind", "lost", "message"),
    [
        (
            "deit",
            "deit.encoder.layer.1.output.dense.bias",
            "such as deit.encoder.layer.1.output.dense.bias",
        ),
        ("clip", "vision_model.pre_layrnorm.weight", "such as vision_model.pre_layrnorm.weight"),
    ],
)
def test_a_base_that_lacks_a_tensor_is_refused_by_its_name(kind, lost, message, copy_checkpoint):
    folder = copy_checkpoint(kind=kind, labels=("cat", "dog"))
    tensors = load_file(folder / "model.safetensors")
    del tensors[lost]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match=message):
        load_base(str(folder))


def test_a_deit_called_vit_is_refused(copy_checkpoint):
    folder = copy_checkpoint(kind="deit")
    config = json.loads((folder / "config.json").read_text())
    told = {"model_type": "vit", "architectures": ["ViTForImageClassification"]}
    (folder / "config.json").write_text(json.dumps(config | told))
    with pytest.raises(CheckpointError, match="The backbone is not all there"):
        load_base(str(folder))


def test_a_name_that_leads_nowhere_is_said_to(tmp_path):
    with pytest.raises(CheckpointError, match="give a folder in the Hub's layout"):
        load_base(str(tmp_path / "nowhere"))


def test_a_base_one_level_off_is_named(make_checkpoint, tmp_path):
    shutil.copytree(make_checkpoint(), tmp_path / "checkpoint")
    with pytest.raises(CheckpointError, match=rf"in a folder below it: name {tmp_path}/checkpoint\.$"):
        load_base(str(tmp_path))
