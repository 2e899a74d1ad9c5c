import dataclasses

import pytest

from train.config.published import PUBLISHED, recipe_table
from train.config.recipes import RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_a_complete_config_by_its_own_name(name):
    config = RECIPES[name]("somewhere", "some/base")
    assert (config.recipe, config.data, config.base) == (name, "somewhere", "some/base")


@pytest.mark.parametrize("name", RECIPES)
def test_a_base_beside_the_data_is_taken_before_the_hubs(name, tmp_path):
    (tmp_path / "data").mkdir()
    hub = RECIPES[name](str(tmp_path / "data")).base
    owner, _, folder = hub.partition("/")
    local = tmp_path / "models" / folder
    local.mkdir(parents=True)
    assert owner in ("facebook", "google", "dima806", "openai")
    assert RECIPES[name](str(tmp_path / "data")).base == str(local)


def test_the_published_recipe_is_the_published_one():
    """As the issue gives it: 2 epochs at 1e-6, batches of 32 and 8, decay 0.02, 50 steps of warm-up, whole pictures."""
    config = RECIPES["virtus"]("somewhere")
    assert (config.num_epochs, config.learning_rate, config.batch_size, config.eval_batch_size) == (2.0, 1e-6, 32, 8)
    assert (config.weight_decay, config.warmup, config.seed, config.crop) == (0.02, 50.0, 83, "whole")
    augmentation = config.augmentation
    assert (augmentation.rotation, augmentation.sharpness, augmentation.sharpness_chance) == (90.0, 2.0, 0.5)
    others = [getattr(augmentation, f.name) for f in dataclasses.fields(augmentation) if f.name.endswith("_chance")]
    assert sorted(others) == [0.0] * 9 + [0.5]


def test_gend_trains_layer_norms_and_a_head_on_features_of_length_1_on_pairs():
    config = RECIPES["gend"]("somewhere")
    assert (config.tune, config.head, config.pairs, config.weight_decay) == ("layer_norms", "l2", True, 0.0)


def test_the_honest_recipe_differs_in_its_faults_alone():
    honest, published = (RECIPES[name]("somewhere") for name in ("virtus-honest", "virtus"))
    changed = {f.name for f in dataclasses.fields(honest) if getattr(honest, f.name) != getattr(published, f.name)}
    assert changed == {"recipe", "split", "balance", "crop", "choose_by"}


def test_the_table_sets_all_side_by_side_with_figures_and_faults(train_command, tmp_path):
    printed = train_command(tmp_path, "recipes").stdout
    assert printed.strip() == recipe_table().strip()
    for name, known in PUBLISHED.items():
        assert f"\n{name} " in printed
        assert all(fault in printed for fault in known.faults)
    assert "accuracy 0.9919, loss 0.0248, macro F1 0.9920" in printed


def test_every_recipe_has_its_word_on_what_is_known():
    assert PUBLISHED.keys() == RECIPES.keys()
