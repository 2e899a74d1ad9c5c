import json

import pytest

from train.config.settings import TrainConfig
from virtus.errors import DataError

CONFIG = TrainConfig("virtus-tiny", base="b", data="d")


def test_settings_are_read_by_the_kind_of_their_default():
    config = CONFIG.override(["num_epochs=2", "bf16=false", "augmentation.margin=[1.1, 1.2]", "base=x/y"])
    assert (config.num_epochs, config.bf16, config.augmentation.margin, config.base) == (2.0, False, (1.1, 1.2), "x/y")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs=3", "There is no setting 'epochs'"),
        ("augmentation.magic=1", "There is no setting 'magic'"),
        ("seed.x=1", "has no settings inside"),
        ("batch_size=many", "not of that kind"),
        ("batch_size=1.5", "not of that kind"),
        ("seed", "key=value"),
        ("batch_size=0", "must be more than 0"),
        ("augmentation.jpeg_chance=2", "between 0 and 1"),
        ("augmentation.jpeg_quality=[95,40]", "the smaller first"),
        ("augmentation.jpeg_quality=[40.5,95]", "whole numbers from 1 to 100"),
        ("val_share=1", "between 0 and 1"),
        ("start_share=1", "start_share is a share of the starting weights, from 0 and below 1, not 1.0"),
        ("pairs=yes", "not of that kind"),
        ("margin=5", "margin is of the crop, from 0.5 to 4, not 5.0"),  # the engine would not load what was trained
        ("learning_rate=NaN", "learning_rate must be a number, not nan"),
        ('source_weights={"one":"x"}', "a whole number from 0 on for each source"),
        ('kinds={"swaps":"dfdc/*"}', "a list of patterns for each kind"),  # of letters, each a pattern
    ],
)
def test_wrong_settings_are_named(setting, message):
    with pytest.raises(DataError, match=message):
        CONFIG.override([setting])


def test_a_pair_is_not_divided():
    with pytest.raises(DataError, match="batch_size must be even, not 7"):
        CONFIG.override(["batch_size=7", "pairs=true"])


def test_the_saved_file_holds_all_settings(tmp_path):
    CONFIG.save(tmp_path / "train_config.json")
    saved = json.loads((tmp_path / "train_config.json").read_text())
    assert saved["augmentation"]["margin"] == [1.0, 1.3]
    assert saved["learning_rate"] == CONFIG.learning_rate


@pytest.mark.parametrize("value", ["norms", "last_blocks", "last_blocks:0", "last_blocks:x", "full:2"])
def test_what_cannot_be_trained_alone_is_said_to(value):
    with pytest.raises(DataError, match="tune is full, layer_norms or last_blocks:N"):
        CONFIG.override([f"tune={value}"])
    assert CONFIG.override(["tune=last_blocks:12"]).tune == "last_blocks:12"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("head", "l3"),
        ("split", "random"),
        ("balance", "all"),
        ("crop", "half"),
        ("schedule", "none"),
        ("choose_by", "luck"),
    ],
)
def test_a_choice_that_there_is_not_names_those_there_are(name, value):
    with pytest.raises(DataError, match=f"{name} is one of"):
        CONFIG.override([f"{name}={value}"])


def test_a_list_of_any_length_can_be_set():
    assert CONFIG.override(['leave_out=["dfdc", "stylegan"]']).leave_out == ("dfdc", "stylegan")


def test_a_config_knows_what_differs_from_a_saved_one(tmp_path):
    CONFIG.save(tmp_path / "train_config.json")
    assert CONFIG.differs_from(tmp_path / "train_config.json") == []
    changed = CONFIG.override(["seed=1", "augmentation.shift=0.5"])
    assert changed.differs_from(tmp_path / "train_config.json") == ["seed", "augmentation"]


@pytest.mark.parametrize(("saved", "cause"), [('{"seed": 83}', "earlier version"), ('{"seed', "cannot be read")])
def test_a_config_that_does_not_tell_is_no_other_one(tmp_path, saved, cause):
    (tmp_path / "train_config.json").write_text(saved)
    with pytest.raises(DataError, match=rf"{cause}.*use another --out"):
        CONFIG.differs_from(tmp_path / "train_config.json")
