"""What a checkpoint's configs and labels must be: each refusal with its cause."""

import json

import pytest
import torch
from safetensors.torch import load_file

from virtus.checkpoints.examine import examine_checkpoint, load_model
from virtus.errors import CheckpointError
from virtus.labels import ClassOutputs

KINDS = {
    "vit": "ViTForImageClassification",
    "deit": "DeiTForImageClassification",
    "deit-with-teacher": "DeiTForImageClassificationWithTeacher",
}
UNFIT = "Its config.json does not describe a model that can judge:"


def change(file, **values):
    """Set keys of a JSON file; None removes one."""
    content = json.loads(file.read_text()) | values
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def refusal(folder):
    """The cause, after the folder's name."""
    with pytest.raises(CheckpointError) as caught:
        load_model(examine_checkpoint(folder))
    start = f"{folder} is not used. "
    assert str(caught.value).startswith(start)
    return str(caught.value).removeprefix(start)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_sound_checkpoints_pass_and_load_as_float32(make_checkpoint, kind, half):
    examined = examine_checkpoint(make_checkpoint(kind=kind, half=half))
    model = load_model(examined)
    assert examined.architecture.name == KINDS[kind]
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert (examined.transform.input_size, examined.sidecar) == ((32, 32), {})
    name = "embeddings.cls_token"
    held = load_file(examined.weights[0])[f"{model.config.model_type}.{name}"]
    assert torch.equal(model.state_dict()[name], held.float())


def test_an_error_can_name_the_checkpoint_instead_of_its_folder(copy_checkpoint):
    folder = copy_checkpoint()
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"^owner/name is not used. config.json is missing\.$"):
        examine_checkpoint(folder, name="owner/name")


@pytest.mark.parametrize(
    ("labels", "fake"),
    [
        (("Real", "Fake"), 1),
        (("Fake", "Real"), 0),
        (("REAL", "FAKE"), 1),
        (("Deepfake", "Realism"), 0),
        (("AI", "authentic"), 0),
        (("real image", "AI-generated"), 1),
    ],
)
def test_labels_are_read_by_name_not_by_order(make_checkpoint, labels, fake):
    assert examine_checkpoint(make_checkpoint(labels=labels)).outputs == ClassOutputs((1 - fake,), (fake,))


@pytest.mark.parametrize(
    ("labels", "cause"),
    [
        (("LABEL_0", "LABEL_1"), "Its labels 'LABEL_0' and 'LABEL_1' do not say which is real and which is fake"),
        (("Fake", "AI"), "Its labels 'Fake' and 'AI' do not say which"),
        (("Real", "cat"), "Its labels 'Real' and 'cat' do not say which"),
        (("Real", "Fake", "Unsure"), "Its label 'Unsure' names neither real nor fake, and is not guessed. Name them"),
        (("Real", "Genuine", "Original"), "Its labels 'Real', 'Genuine' and 'Original' do not say which"),
        (("LABEL_0",), "Its one label 'LABEL_0' does not say whether a high value means fake or real. Name it by"),
    ],
)
def test_labels_that_do_not_say_real_and_fake_are_refused(copy_checkpoint, labels, cause):
    folder = copy_checkpoint()
    change(folder / "config.json", id2label=dict(enumerate(labels)))
    assert cause in refusal(folder)


@pytest.mark.parametrize(
    ("file", "text", "cause"),
    [
        ("config.json", None, "config.json is missing."),
        ("config.json", "{", "config.json cannot be read: Expecting"),
        ("config.json", "[]", "config.json is no JSON object."),
        ("config.json", "[" * 100_000, "config.json cannot be read: "),
        ("config.json", "{}", "It is a model of no named kind, but only ViTForImageClassification, "),
        ("preprocessor_config.json", None, "preprocessor_config.json is missing."),
        ("preprocessor_config.json", "<html>", "preprocessor_config.json cannot be read: Expecting value"),
        ("preprocessor_config.json", "{}", "Its processor does not fit: image_mean is None"),
        ("virtus.json", "{", "virtus.json cannot be read: Expecting"),
        ("virtus.json", "3", "virtus.json is no JSON object."),
    ],
)
def test_broken_json_is_refused(copy_checkpoint, file, text, cause):
    folder = copy_checkpoint()
    (folder / file).unlink(missing_ok=True) if text is None else (folder / file).write_text(text)
    assert refusal(folder).startswith(cause)


def test_json_that_is_not_text_is_refused(copy_checkpoint):
    folder = copy_checkpoint()
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")
    assert refusal(folder).startswith("config.json cannot be read: 'utf-8' codec can't decode")


@pytest.mark.parametrize(
    ("key", "value", "cause"),
    [
        ("model_type", "llama", "config.json contradicts itself: model_type is llama, the architecture is ViTForImage"),
        ("model_type", ["vit"], "config.json contradicts itself: model_type is ['vit'], the architecture is ViT"),
        ("model_type", "deit", "config.json contradicts itself: model_type is deit, the architecture is ViTForImage"),
        ("architectures", ["SwinForImageClassification"], "It is a SwinForImageClassification, but only ViT"),
        ("architectures", "LlamaForCausalLM", "It is a LlamaForCausalLM, but only"),
        ("architectures", {"a": 1}, "It is a {'a': 1}, but only"),
        ("architectures", [3], "It is a 3, but only"),
        ("id2label", None, "Its labels 'LABEL_0' and 'LABEL_1' do not say which is real and which is fake, and their"),
        ("id2label", {"0": None, "1": 2}, "Its labels 'None' and '2' do not say"),
        ("id2label", {"1": "Real", "2": "Fake"}, "Its labels have the indices 1 and 2, not 0 and 1."),
        ("id2label", {"zero": "Real", "one": "Fake"}, "Its labels have the indices zero and one, not 0 and 1."),
        ("id2label", {"0": ["Real"], "1": []}, "Its labels \"['Real']\" and '[]' do not say which is real"),
        ("image_size", "32", f"{UNFIT} image_size is '32', not a side in pixels, or two."),
        ("image_size", [32], f"{UNFIT} image_size is [32], not a side in pixels, or two."),
        ("image_size", None, "Its processor does not fit: it makes pictures of 32x32, the model takes 224x224."),
        ("image_size", [32, 64], "Its processor does not fit: it makes pictures of 32x32, the model takes 32x64."),
        ("num_channels", 1, f"{UNFIT} num_channels is 1, not 3."),
        ("hidden_size", "32", f"{UNFIT} hidden_size is '32', not a whole number from 1 on."),
        ("hidden_size", [], f"{UNFIT} hidden_size is []"),
        ("num_hidden_layers", "three", f"{UNFIT} num_hidden_layers is 'three'"),
        ("num_hidden_layers", 10**12, f"{UNFIT} num_hidden_layers is 1000000000000, not at most 200."),
        ("num_attention_heads", 0, f"{UNFIT} num_attention_heads is 0"),
        ("num_attention_heads", 3, f"{UNFIT} num_attention_heads is 3, not a divisor of 32."),
        ("patch_size", "8", f"{UNFIT} patch_size is '8', not a side in pixels, or two."),
        ("patch_size", 33, f"{UNFIT} patch_size is (33, 33), not within the picture of (32, 32)."),
        ("hidden_act", "magic", f"{UNFIT} hidden_act is 'magic', not one of gelu, "),
        ("hidden_act", ["gelu"], f"{UNFIT} hidden_act is ['gelu'], not one of gelu, "),
        ("layer_norm_eps", "small", f"{UNFIT} layer_norm_eps is 'small', not a number from 0 on."),
        ("qkv_bias", "yes", f"{UNFIT} qkv_bias is 'yes', not true or false."),
    ],
)
def test_configs_that_do_not_describe_a_judge_are_refused(copy_checkpoint, key, value, cause):
    folder = copy_checkpoint()
    change(folder / "config.json", **{key: value})
    assert refusal(folder).startswith(cause)


def test_the_architecture_may_be_left_out(copy_checkpoint):
    folder = copy_checkpoint(kind="deit")
    change(folder / "config.json", architectures=None)
    assert examine_checkpoint(folder).architecture.name == "DeiTForImageClassification"


@pytest.mark.parametrize(
    ("processor", "cause"),
    [
        ({"size": 48}, "it makes pictures of 48x48, the model takes 32x32."),
        ({"size": 48, "do_center_crop": True, "crop_size": 40}, "it makes pictures of 40x40, the model takes 32x32."),
        ({"size": {"shortest_edge": 32}}, "it keeps the proportions and cuts out no centre"),
        ({"image_std": [0, 0, 0]}, "image_std is [0.0, 0.0, 0.0], which cannot be divided by."),
    ],
)
def test_a_processor_that_does_not_fit_is_refused(copy_checkpoint, processor, cause):
    folder = copy_checkpoint(processor=processor)
    assert refusal(folder).startswith(f"Its processor does not fit: {cause}")


@pytest.mark.parametrize(
    "processor",
    [
        {"size": 32},
        {"size": {"height": 32, "width": 32}},
        {"size": 40, "do_center_crop": True, "crop_size": 32},
        {"size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}},
    ],
)
def test_a_processor_that_fits_passes(make_checkpoint, processor):
    assert examine_checkpoint(make_checkpoint(processor=processor)).transform.input_size == (32, 32)
