"""Files of weights: complete and of the architecture they claim, or refused with the cause."""

import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.checkpoints.test_doctor import change, refusal
from virtus.checkpoints.examine import examine_checkpoint, load_model


def rewrite(folder, edit):
    """Change the tensors of a folder's file: `edit` gets their dict."""
    tensors = load_file(folder / "model.safetensors")
    edit(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def drop(part):
    def edit(tensors):
        names = [name for name in tensors if part in name]
        assert names
        for name in names:
            del tensors[name]

    return edit


def test_a_missing_tensor_of_the_backbone_is_refused(copy_checkpoint):
    folder = copy_checkpoint()
    rewrite(folder, drop("layer.1.intermediate.dense.weight"))
    said = refusal(folder)
    assert said.startswith(
        "The backbone is not all there: 1 tensor is missing from the file, such as vit.encoder.layer.1.interm"
    )


@pytest.mark.parametrize("kind", ["vit", "deit", "deit-with-teacher"])
def test_a_missing_head_is_refused(copy_checkpoint, kind):
    folder = copy_checkpoint(kind=kind)
    rewrite(folder, drop("classifier."))
    assert refusal(folder).startswith("The head is not all there: ")


@pytest.mark.parametrize(
    ("config", "weights", "cause"),
    [
        ("vit", "deit", "The backbone is not all there"),
        ("deit", "vit", "The backbone is not all there"),
        ("vit", "deit-with-teacher", "The backbone is not all there"),
        ("deit", "deit-with-teacher", "The head is not all there"),
        ("deit-with-teacher", "deit", "The head is not all there"),
    ],
)
def test_weights_of_another_architecture_are_refused(copy_checkpoint, make_checkpoint, config, weights, cause):
    folder = copy_checkpoint(kind=config)
    shutil.copy(make_checkpoint(kind=weights) / "model.safetensors", folder)
    said = refusal(folder)
    assert said.startswith(cause)
    assert said.endswith("Perhaps the file is of another architecture than config.json says.")


def test_tensors_of_another_shape_are_refused(copy_checkpoint):
    folder = copy_checkpoint()
    change(folder / "config.json", intermediate_size=128)
    said = refusal(folder)
    assert said.startswith(
        "Its weights do not fit config.json: 9 tensors are of another shape, such as vit.encoder.layer.0."
    )


@pytest.mark.parametrize("layers", [2, 4])
def test_another_number_of_blocks_is_refused(copy_checkpoint, layers):
    folder = copy_checkpoint()
    change(folder / "config.json", num_hidden_layers=layers)
    cause = {
        2: "16 tensors are left over that the model does not have, such as vit.encoder.layer.2.",
        4: "16 tensors are missing",
    }
    assert cause[layers] in refusal(folder)


def test_tensors_that_classifiers_do_not_read_are_accepted(copy_checkpoint):
    folder = copy_checkpoint()
    extra = {"vit.pooler.dense.weight": torch.zeros(32, 32), "vit.pooler.dense.bias": torch.zeros(32)}
    rewrite(folder, lambda tensors: tensors.update(extra))
    assert load_model(examine_checkpoint(folder)) is not None


def new_name(name):
    """What a block's tensors are called in transformers 5; it saves files with the names of version 4."""
    name = name.replace("vit.encoder.layer.", "vit.layers.")
    for old, new in {
        "attention.attention.query": "attention.q_proj",
        "attention.attention.key": "attention.k_proj",
        "attention.attention.value": "attention.v_proj",
        "attention.output.dense": "attention.o_proj",
        "intermediate.dense": "mlp.fc1",
        "output.dense": "mlp.fc2",
    }.items():
        name = name.replace(old, new)
    return name


def test_old_and_new_names_of_tensors_load_the_same(copy_checkpoint, make_checkpoint):
    folder = copy_checkpoint()
    tensors = load_file(folder / "model.safetensors")
    renamed = {new_name(name): tensor for name, tensor in tensors.items()}
    assert "vit.encoder.layer.0.output.dense.weight" in tensors
    assert "vit.layers.0.mlp.fc2.weight" in renamed
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})
    found, expected = (load_model(examine_checkpoint(path)).state_dict() for path in (folder, make_checkpoint()))
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused(copy_checkpoint, value):
    folder = copy_checkpoint()
    rewrite(folder, lambda tensors: tensors["vit.layernorm.weight"].fill_(value))
    assert refusal(folder) == "Its weights are damaged: vit.layernorm.weight holds values that are not finite."


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "is empty: download it again."),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
            "is a Git LFS pointer, not the weights: fetch",
        ),
        (b"<!doctype html><html>Entry not found</html>", "is a web page, not the weights: download it again."),
        (b"\n <html>", "is a web page"),
        (b"\x08\0\0\0\0\0\0\0{}      ", "holds no tensors."),
        (b"Entry not found", "is no whole safetensors file: it is damaged or cut off. Download it again."),
    ],
)
def test_files_that_are_something_else_are_named(copy_checkpoint, content, cause):
    folder = copy_checkpoint()
    (folder / "model.safetensors").write_bytes(content)
    assert refusal(folder).startswith(f"model.safetensors {cause}")


def test_a_file_that_was_cut_off_is_refused(copy_checkpoint):
    file = copy_checkpoint() / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    assert refusal(file.parent).startswith("model.safetensors is no whole safetensors file: it is damaged or cut off.")


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_under_another_name_is_refused(copy_checkpoint, zipped):
    folder = copy_checkpoint()
    torch.save({"a": torch.zeros(1)}, folder / "model.safetensors", _use_new_zipfile_serialization=zipped)
    assert refusal(folder).startswith("model.safetensors is a pickle under another name, which can run code")


def test_pickled_weights_alone_are_refused(copy_checkpoint):
    folder = copy_checkpoint()
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert refusal(folder).startswith(
        "model.safetensors is missing: there are only pickled weights (pytorch_model.bin)"
    )


def test_a_folder_without_weights_is_refused(copy_checkpoint):
    folder = copy_checkpoint()
    (folder / "model.safetensors").rename(folder / "adapter_model.safetensors")
    assert refusal(folder).startswith("model.safetensors is missing: there is only adapter_model.safetensors.")
    (folder / "adapter_model.safetensors").unlink()
    assert refusal(folder).startswith("model.safetensors is missing: there are no weights.")
    (folder / "model.safetensors").mkdir()
    assert refusal(folder).startswith("model.safetensors is missing: ")


def test_shards_load_and_are_hashed_in_order(make_checkpoint):
    examined = examine_checkpoint(make_checkpoint(shard_size="50KB"))
    assert len(examined.weights) > 1
    assert examined.sha256 == hashlib.sha256(b"".join(file.read_bytes() for file in examined.weights)).hexdigest()
    whole = load_model(examine_checkpoint(make_checkpoint())).state_dict()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in load_model(examined).state_dict().items())


def test_a_missing_shard_is_refused(copy_checkpoint):
    folder = copy_checkpoint(shard_size="50KB")
    (folder / "model-00002-of-00003.safetensors").unlink()
    assert refusal(folder).startswith(
        "model-00002-of-00003.safetensors is missing: there is only model-00001-of-00003.s"
    )


@pytest.mark.parametrize(
    ("weight_map", "cause"),
    [
        (["model.safetensors"], "model.safetensors.index.json has no weight_map that names files."),
        ({}, "model.safetensors.index.json has no weight_map"),
        (None, "model.safetensors.index.json has no weight_map"),
        ({"a": 3}, "model.safetensors.index.json has no weight_map"),
        ({"a": ["b"]}, "model.safetensors.index.json has no weight_map"),
        (
            {"a": "../x.safetensors"},
            "model.safetensors.index.json names '../x.safetensors', which is not a safetensors",
        ),
        ({"a": "/etc/passwd"}, "model.safetensors.index.json names '/etc/passwd'"),
        ({"a": "..\\x.safetensors"}, "model.safetensors.index.json names '..\\\\x.safetensors'"),
        ({"a": ""}, "model.safetensors.index.json names"),
        ({"a": ".."}, "model.safetensors.index.json names '..'"),
        ({"a": "pytorch_model.bin"}, "model.safetensors.index.json names 'pytorch_model.bin'"),
    ],
)
def test_an_index_that_leads_elsewhere_is_refused(copy_checkpoint, weight_map, cause):
    folder = copy_checkpoint()
    (folder / "model.safetensors").rename(folder.parent / "x.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    assert refusal(folder).startswith(cause)
