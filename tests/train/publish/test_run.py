"""Reading a run: what is missing or damaged is named, with the command that makes it."""

import shutil

import pytest

from tests.train.runs import PLOTS, write_run
from train.publish.run import public_base, read_run
from virtus.errors import CheckpointError, DataError


@pytest.fixture
def make_run(make_checkpoint, tmp_path):
    """Factory: the options of `write_run`, to the folder of a run of the test's own."""
    return lambda **options: write_run(tmp_path / "run", make_checkpoint(), **options)


def remove(*parts):
    return lambda run: run.joinpath(*parts).unlink()


def spoil(text, *parts):
    return lambda run: run.joinpath(*parts).write_text(text)


def test_a_whole_run(make_run):
    run = read_run(make_run())
    assert (run.recipe, run.base) == ("virtus-tiny", "facebook/deit-tiny-patch16-224")
    assert run.calibration is None
    assert sorted(run.plots) == sorted(PLOTS)  # not the most wrong pictures: other people's faces
    assert not run.pooled


@pytest.mark.parametrize("options", [{"config": {"split": "pooled-60-40"}}, {"metrics": {"pooled": True}}])
def test_config_and_report_can_both_say_that_it_is_pooled(make_run, options):
    assert read_run(make_run(**options)).pooled


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (remove("report", "metrics.json"), "metrics.json is missing: make it by `python -m train evaluate"),
        (remove("train_config.json"), "train_config.json is missing: it is not the folder of a run"),
        (spoil("{", "report", "metrics.json"), "metrics.json cannot be read"),
        (spoil("{}", "report", "metrics.json"), "metrics.json is not understood, checkpoint is missing: make it by"),
        (spoil("[]", "run.json"), "run.json is not understood"),
        (lambda run: shutil.rmtree(run / "checkpoint"), "holds no checkpoint/"),
        (lambda run: shutil.rmtree(run), "There is no folder"),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_makes_it(make_run, damage, message):
    run = make_run()
    damage(run)
    with pytest.raises(DataError) as caught:
        read_run(run)
    assert message in str(caught.value)


def test_the_checkpoint_instead_of_the_run(make_run):
    run = make_run()
    with pytest.raises(DataError, match="Did you mean"):
        read_run(run / "checkpoint")


def test_figures_of_the_part_that_chose_are_refused(make_run):
    with pytest.raises(DataError, match="'choose', which made or chose the checkpoint"):
        read_run(make_run(metrics={"part": "choose"}))


def test_a_calibration_that_cannot_be_used_is_refused_at_once(make_run):
    with pytest.raises(CheckpointError, match="calibrate again"):
        read_run(make_run(own={"calibration": {"temperature": 1.0}}))


@pytest.mark.parametrize(
    ("base", "public"),
    [
        ("facebook/deit-tiny-patch16-224", "facebook/deit-tiny-patch16-224"),
        ("../shared/models/deit-tiny-patch16-224", "facebook/deit-tiny-patch16-224"),
        ("/home/somebody/models/mine", "mine"),
        ("C:\\Users\\somebody\\models\\mine", "mine"),
        ("~/models/mine/", "mine"),
    ],
)
def test_a_base_is_named_without_the_place_where_it_lay(base, public):
    assert public_base(base) == public
