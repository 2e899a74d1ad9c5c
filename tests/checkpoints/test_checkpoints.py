"""Names of checkpoints: what each stands for, and what comes with it."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from transformers import ViTForImageClassification
from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

from virtus.checkpoints import examine
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.examine import examine_checkpoint
from virtus.checkpoints.known import CHECKPOINTS
from virtus.checkpoints.load import load_checkpoint, locate
from virtus.checkpoints.sidecar import read_json
from virtus.errors import CheckpointError, InputError
from virtus.faces import whole_image
from virtus.labels import ClassOutputs


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    monkeypatch.delenv("VIRTUS_CHECKPOINT", raising=False)


def test_a_local_folder_is_found_by_any_way_to_write_its_path(copy_checkpoint, monkeypatch):
    folder = copy_checkpoint()
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    for name in (str(folder), "checkpoint", "./checkpoint", "~/checkpoint", "../" + folder.parent.name + "/checkpoint"):
        found, path, revision = locate(name)
        assert (found, path.resolve(), revision) == (name, folder, "local")


def test_a_folder_is_preferred_to_the_hub_but_not_to_a_registered_name(copy_checkpoint, monkeypatch, hub):
    folder = copy_checkpoint()
    for name in ("someone/detector", "agasta/virtus"):
        folder.parent.joinpath(name).parent.mkdir()
        folder.parent.joinpath(name).symlink_to(folder)
    monkeypatch.chdir(folder.parent)
    assert locate("someone/detector")[2] == "local"
    assert hub.requests == []
    commit = hub.add("agasta/virtus", folder)
    assert locate("agasta/virtus")[2] == commit


def test_what_a_checkpoint_says_of_itself(make_checkpoint):
    folder = make_checkpoint(kind="deit", labels=("Fake", "Real"))
    found = load_checkpoint(str(folder), precision="float32")
    assert (found.info.name, found.info.revision) == (str(folder), "local")
    assert found.info.sha256 == examine_checkpoint(folder).sha256
    assert found.outputs == ClassOutputs(real=(1,), fake=(0,))
    assert (found.architecture, found.trunk.num_prefix_tokens) == ("DeiTForImageClassification", 2)
    assert found.transform.input_size == (32, 32)


def test_margin_is_the_checkpoints_own_word_then_the_default(make_checkpoint):
    assert load_checkpoint(str(make_checkpoint())).margin == 1.3
    assert load_checkpoint(str(make_checkpoint(own={}))).margin == 1.3
    assert load_checkpoint(str(make_checkpoint(own={"margin": 2}))).margin == 2.0


@pytest.mark.parametrize("margin", ["1.3", None, True, [1.3], 0.4, 5, float("nan")], ids=repr)
def test_a_margin_that_is_none_is_refused(copy_checkpoint, margin):
    folder = copy_checkpoint()
    (folder / "virtus.json").write_text(json.dumps({"margin": margin}))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(str(folder))
    cause = f"The margin in its virtus.json is {margin!r}, not a number in 0.5 to 4."
    assert str(caught.value) == f"{folder} is not used. {cause}"


@pytest.mark.parametrize("first", [-1, 3, 1.0, None, True, "2"], ids=repr)
def test_a_first_trained_block_that_it_does_not_have_is_refused(make_checkpoint, copy_checkpoint, first):
    assert load_checkpoint(str(make_checkpoint(own={"first_trained_block": 2}))).first_trained_block == 2
    folder = copy_checkpoint(own={"first_trained_block": first})
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(str(folder))
    cause = f"The first_trained_block in its virtus.json is {first!r}, not the index of one of its 3 blocks."
    assert str(caught.value) == f"{folder} is not used. {cause}"


@pytest.mark.parametrize("judges", ["both", None, True, ["pictures"]], ids=repr)
def test_what_a_checkpoint_judges_is_faces_or_pictures(copy_checkpoint, judges):
    folder = copy_checkpoint(own={"judges": "pictures"})
    assert load_checkpoint(str(folder)).judges_pictures
    (folder / "virtus.json").write_text(json.dumps({"judges": judges}))
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(str(folder))
    cause = f'In its virtus.json, judges is {judges!r}, not "faces" or "pictures".'
    assert str(caught.value) == f"{folder} is not used. {cause}"


def test_the_registry_says_who_judges_whole_pictures(make_checkpoint, hub):
    hub.add("prithivMLmods/AI-vs-Deepfake-vs-Real-Siglip2", make_checkpoint())
    assert load_checkpoint("prithivMLmods/AI-vs-Deepfake-vs-Real-Siglip2").judges_pictures
    assert not load_checkpoint(str(make_checkpoint())).judges_pictures


def test_the_docs_show_what_is_known_of_published_checkpoints(request):
    lines = (request.config.rootpath / "docs" / "checkpoints.md").read_text().splitlines()
    for name, known in CHECKPOINTS.items():
        cells = next(line for line in lines if line.startswith(f"| `{name}` |")).split("|")[2:-1]
        margin = str(known.margin) if known.judges == "faces" else ""
        expected = [known.family, known.judges, margin, known.fake_label or "", known.licence, known.unused]
        assert [cell.strip(" `") for cell in cells] == expected


def test_every_registered_checkpoint_has_a_margin():
    assert all(1 <= known.margin <= 2 for known in CHECKPOINTS.values())


def test_one_of_two_labels_is_said_to_be_fake_by_name_or_index_or_behind_the_name(make_checkpoint, monkeypatch):
    folder = str(make_checkpoint(labels=("LABEL_0", "LABEL_1")))
    for name, fake_label in ((folder, "label_0"), (folder, "0"), (f"{folder}#LABEL_0", None), (f"{folder}#0", None)):
        found = load_checkpoint(name, fake_label=fake_label)
        assert (found.outputs.real, found.outputs.fake) == ((1,), (0,))
        assert found.info.name == f"{folder}#0"
    monkeypatch.setenv("VIRTUS_CHECKPOINT", f"{folder}#1")
    assert load_checkpoint().outputs.fake == (1,)
    assert locate()[:2] == (folder, Path(folder))


def test_labels_that_say_it_themselves_need_no_help_and_are_not_contradicted(make_checkpoint):
    folder = str(make_checkpoint())
    assert load_checkpoint(folder, fake_label="Fake").info.name == folder
    with pytest.raises(CheckpointError, match="Its label 'Real' says real, so it cannot be taken for the other class"):
        load_checkpoint(folder, fake_label="0")


def test_a_folder_may_have_the_mark_in_its_name(copy_checkpoint, tmp_path):
    folder = copy_checkpoint().rename(tmp_path / "run#2")
    assert load_checkpoint(str(folder)).info.name == str(folder)


def test_the_registry_says_which_class_is_fake_where_the_publisher_does(make_checkpoint, hub):
    hub.add("yermandy/GenD_CLIP_L_14", make_checkpoint(labels=("LABEL_0", "LABEL_1")))
    found = load_checkpoint("yermandy/GenD_CLIP_L_14")
    assert found.outputs == ClassOutputs(real=(0,), fake=(1,), fake_label="1")
    assert found.info.name == "yermandy/GenD_CLIP_L_14"


def test_a_device_that_is_not_there_is_no_fault_of_the_checkpoint(make_checkpoint):
    with pytest.raises(InputError, match="There is no device 'tpu' here"):
        load_checkpoint(str(make_checkpoint()), device="tpu")


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(str(tmp_path))
    assert str(caught.value) == f"{tmp_path} is not used. config.json is missing."
    assert list(Path(tmp_path).iterdir()) == []


def test_one_level_off_the_checkpoints_below_are_named_newest_first(make_checkpoint, tmp_path):
    for at, step in enumerate((500, 1500, 1000)):
        folder = shutil.copytree(make_checkpoint(), tmp_path / "steps" / f"checkpoint-{step}")
        os.utime(folder / "model.safetensors", (1000 + at, 1000 + at))
    with pytest.raises(CheckpointError) as caught:
        locate_and_examine(tmp_path / "steps")
    newest, *others = (tmp_path / "steps" / f"checkpoint-{step}" for step in (1000, 1500, 500))
    assert str(caught.value) == (
        f"{tmp_path / 'steps'} is not used. The checkpoints lie in folders below it: name {newest}, the newest, "
        f"or another: {others[0]}, {others[1]}."
    )
    for step in (500, 1000, 1500):  # as copies are: of one time
        os.utime(tmp_path / "steps" / f"checkpoint-{step}" / "model.safetensors", (1000, 1000))
    with pytest.raises(CheckpointError, match=r"name \S*checkpoint-1500, the newest"):
        locate_and_examine(tmp_path)  # two levels
    shutil.rmtree(tmp_path / "steps")
    shutil.copytree(make_checkpoint(), tmp_path / "checkpoint")
    (tmp_path / "config.json").write_text("{}")  # without weights it is no checkpoint
    with pytest.raises(CheckpointError, match=rf"in a folder below it: name {tmp_path}/checkpoint\.$"):
        locate_and_examine(tmp_path)
    assert locate_and_examine(tmp_path / "checkpoint")


@pytest.mark.parametrize("below", ["", "steps", "steps/checkpoint-1500"])
def test_a_run_with_steps_alone_says_how_to_go_on(below, tmp_path):
    (tmp_path / "train_config.json").write_text("{}")
    for step in (500, 1500):  # weights without a config, as the Trainer saves what is no model of transformers
        folder = tmp_path / "steps" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(b"")
    said = f"{tmp_path} is a run of training that has not ended: 1500 steps are saved, .* --out {tmp_path} and --resume"
    with pytest.raises(CheckpointError, match=said):
        locate_and_examine(tmp_path / below)


def test_a_checkpoint_without_its_config_is_no_run_that_has_not_ended(make_checkpoint, tmp_path):
    """Those that training wrote have its settings beside their weights."""
    folder = shutil.copytree(make_checkpoint(), tmp_path / "one")
    (folder / "train_config.json").write_text("{}")
    (folder / "config.json").unlink()
    with pytest.raises(CheckpointError, match=r"config\.json is missing"):
        locate_and_examine(folder)


def test_the_config_is_read_once(make_checkpoint, monkeypatch):
    files = []
    monkeypatch.setattr(examine, "read_json", lambda file: files.append(file.name) or read_json(file))
    examine.examine_checkpoint(make_checkpoint())
    examine.examine_base(make_checkpoint())
    assert files.count("config.json") == 2


def locate_and_examine(folder):
    return examine_checkpoint(locate(str(folder))[1], name=str(folder))


@torch.no_grad()
def test_one_logit_behind_a_cut_out_centre_is_read_as_its_publisher_reads_it(make_checkpoint, make_image):
    """The layout of Community Forensics: a ViT with a sigmoid, which sees 384 of 440 pixels of the shorter side."""
    processor = {"size": {"shortest_edge": 37}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}}
    folder, image = make_checkpoint(labels=("LABEL_0",), processor=processor | {"resample": 3}), make_image(50, 44)
    read = ViTImageProcessorPil(**json.loads((folder / "preprocessor_config.json").read_text()))
    pixel_values = torch.from_numpy(read(image)["pixel_values"][0])[None]
    expected = torch.sigmoid(ViTForImageClassification.from_pretrained(folder)(pixel_values).logits)
    detector = Detector(load_checkpoint(str(folder), device="cpu", precision="float32", fake_label="0"))
    assert detector.predict([whole_image(image)])[0].p_fake == pytest.approx(float(expected), abs=1e-5)
