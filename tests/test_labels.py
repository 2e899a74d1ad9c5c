"""Names of the two classes."""

import contextlib
from pathlib import Path

import pytest

from virtus.errors import CheckpointError, UnclearLabelsError
from virtus.labels import (
    WORDS,
    ClassOutputs,
    label_from_folder,
    label_from_folders,
    label_from_name,
    label_names,
    read_outputs,
    split_from_folder,
    unlabelled_in_words,
)
from virtus.results import Label


@pytest.mark.parametrize(
    "name",
    (
        "Real|REAL|real|Realism|authentic|Real Image|real_images|Real-Faces| original |RealFaces|human|hum|"
        "nature|bonafide|bona fide|not_fake|No Deepfake|non-AI|notAltered|Image: real|real, not fake|"
        "not AI generated|0_real|Real 1|RealArt|unedited|No deepfake detected|is_real"
    ).split("|"),
)
def test_names_of_real(name):
    assert label_from_name(name) is Label.REAL


@pytest.mark.parametrize(
    "name",
    (
        "Fake|FAKE|Deepfake|Deep Fake|deep-fakes|AI|AI-generated|Artificial|fake_faces|DeepFake|ai|spoof|"
        "altered|Deepfake Image|face swap|faceswap|Face Reenactment|GAN|StyleGAN|morph|diffusion|composite|"
        "inpainting|not real|AIGenerated|Made by AI|1_fake|Fake2|AiArtData|Stable Diffusion|latent diffusion model|"
        "StyleGAN2|ProGAN|Flux.1_Generated|SD3_Generated|DALL-E 3|lip-sync|Face2Face|Neural Textures|identity swap"
    ).split("|"),
)
def test_names_of_fake(name):
    assert label_from_name(name) is Label.FAKE


@pytest.mark.parametrize(
    "name",
    (
        "|LABEL_0|0|1|unreal|fakery or real|realfake|cat|真|真 real|not|images|RealFake|real-looking fake|"
        "unrealistic|realistic vision|photoreal|photo-real|human ai|not not real|real_esrgan|surreal|"
        "originality|natural language|class_0|partially real|sd|2"
    ).split("|"),
)
def test_other_names_say_nothing(name):
    assert label_from_name(name) is None


def test_no_name_stands_for_both():
    assert not WORDS[Label.REAL] & WORDS[Label.FAKE]
    assert set(WORDS) == set(Label)


@pytest.mark.parametrize(
    ("names", "fake_label", "outputs"),
    [
        (["AI", "Deepfake", "Real"], None, ClassOutputs(real=(2,), fake=(0, 1))),
        (["real photo", "real face", "fake"], None, ClassOutputs(real=(0, 1), fake=(2,))),
        (["artificial", "human"], None, ClassOutputs(real=(1,), fake=(0,))),
        (["Fake"], None, ClassOutputs(real=(), fake=(0,))),
        (["real"], None, ClassOutputs(real=(0,), fake=())),
        (["LABEL_0"], "0", ClassOutputs(real=(), fake=(0,), fake_label="0")),
        (["LABEL_0"], "none", ClassOutputs(real=(0,), fake=(), fake_label="none")),
        (["LABEL_0", "LABEL_1"], "LABEL_1", ClassOutputs(real=(0,), fake=(1,), fake_label="1")),
        (["same", "same"], "0", ClassOutputs(real=(1,), fake=(0,), fake_label="0")),
        (["Real", "Fake", "Unsure"], "unsure", ClassOutputs(real=(0,), fake=(1, 2), fake_label="2")),
        (["Real", "Fake"], "1", ClassOutputs(real=(0,), fake=(1,))),
    ],
)
def test_outputs_are_read_by_name_or_as_somebody_said(names, fake_label, outputs):
    assert read_outputs(names, fake_label) == outputs


@pytest.mark.parametrize(
    ("names", "fake_label", "cause"),
    [
        (["real", "drawing", "fake"], None, "Its label 'drawing' names neither real nor fake"),
        (["LABEL_0", "LABEL_1", "LABEL_2"], "0", "Its label 'LABEL_1' names neither"),
        (["LABEL_0", "LABEL_1"], "2", "It has no label '2': its labels are 'LABEL_0' and 'LABEL_1'."),
        (["LABEL_0", "LABEL_1"], "none", "It has no label 'none'"),
        (["LABEL_0", "LABEL_1"], "", "It has no label ''"),
        (["Fake"], "none", "Its label 'Fake' says fake, so it cannot be taken for the other class."),
        (["Fake", "GAN"], "0", "Its labels 'Fake' and 'GAN' do not say which is real"),
        (["real", "cat"], "0", "Its label 'real' says real, so it cannot be taken for the other class."),
    ],
)
def test_outputs_that_nobody_names_are_refused(names, fake_label, cause):
    with pytest.raises(CheckpointError) as caught:
        read_outputs(names, fake_label)
    assert str(caught.value).startswith(cause)


@pytest.mark.parametrize("names", ["x y", "real x", "fake x", "x real fake", "x", "real real", "x y z", "x y real"])
def test_a_refusal_names_the_option_only_where_that_helps(names):
    names = names.split()

    def refusal(fake_label=None):
        with pytest.raises(CheckpointError) as caught:
            read_outputs(names, fake_label)
        return caught.value

    def helps(fake_label):
        with contextlib.suppress(CheckpointError):
            return bool(read_outputs(names, fake_label))

    is_of_help = any(helps(str(index)) for index in range(len(names)))
    assert ("--fake-label" in str(refusal())) == is_of_help
    assert "by id2label in its config.json" in str(refusal())
    assert isinstance(refusal(), UnclearLabelsError) == (is_of_help and len(names) < 3)  # what the app asks for


@pytest.mark.parametrize(
    ("config", "names"),
    [
        ({}, ["LABEL_0", "LABEL_1"]),  # transformers leaves out what is its default
        ({"num_labels": 1}, ["LABEL_0"]),
        ({"num_classes": 3}, ["LABEL_0", "LABEL_1", "LABEL_2"]),
        ({"id2label": {"1": "Fake", "0": "Real"}}, ["Real", "Fake"]),
        ({"label_names": ["Real", "Fake"], "num_classes": 2}, ["Real", "Fake"]),
        (
            {"label_names": ["n0", "Fake"], "label_descriptions": {"n0": "real photo", "Fake": "?"}},
            ["real photo", "Fake"],
        ),
    ],
)
def test_label_names_of_a_config(config, names):
    assert label_names(config) == names


def test_the_class_of_each_output_in_their_order():
    assert ClassOutputs(real=(1,), fake=(2, 0)).by_index == (Label.FAKE, Label.REAL, Label.FAKE)
    assert ClassOutputs(real=(), fake=(0,)).by_index == (Label.FAKE,)


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("Real/a.jpg", Label.REAL),
        ("test/FAKE/celebs/a.jpg", Label.FAKE),
        ("fake/real/a.jpg", Label.REAL),  # the nearest one
        ("fake/nature/a.jpg", Label.FAKE),  # what is seen, not what it is
        ("fake/human faces/a.jpg", Label.FAKE),
        ("train/nature/a.jpg", Label.REAL),
        ("other/fake.jpg", None),  # the file's own name does not count
        ("a.jpg", None),
    ],
)
def test_the_nearest_folder_that_is_named_like_a_class(path, label):
    assert label_from_folders(Path(path)) is label


@pytest.mark.parametrize(
    ("name", "label", "split"),
    [
        ("0_real", Label.REAL, None),
        ("1_fake", Label.FAKE, None),
        ("02.Deepfakes", Label.FAKE, None),
        ("real1", Label.REAL, None),
        ("training_real", Label.REAL, "train"),
        ("fake-test", Label.FAKE, "test"),
        ("Valid_AI_images", Label.FAKE, "val"),
        ("face2face", Label.FAKE, None),
        ("not_real_2", Label.FAKE, None),
        ("train", None, "train"),
        ("train_images", None, "train"),
        ("test_set", None, "test"),
        ("testing_fake", Label.FAKE, "test"),
        ("Real Dataset", Label.REAL, None),
        ("dataset", None, None),
        ("training_validation", None, None),
        ("test_subject", None, None),
        ("real_and_fake_face", None, None),
        ("real-vs-fake", None, None),
        ("0", None, None),
        ("real2sim", None, None),
        ("\u975e_real", None, None),
    ],
)
def test_folders_may_have_numbers_and_splits_beside_the_class(name, label, split):
    assert (label_from_folder(name), split_from_folder(name)) == (label, split)


def test_folders_without_a_class_get_a_word_of_mend():
    said = unlabelled_in_words([Path("train/0/a.jpg"), Path("train/0/b.jpg"), Path("train/1/c.jpg"), Path("d.jpg")])
    assert said.startswith("4 lie where no folder says real or fake, and are left out: in train/0, train/1, the folder")
    assert said.endswith("as in real and fake or 0_real and 1_fake: numbers alone say nothing.")
    assert "and 2 more. Name" in unlabelled_in_words(Path(str(at), "a.jpg") for at in range(6))
    assert unlabelled_in_words([]) == ""
