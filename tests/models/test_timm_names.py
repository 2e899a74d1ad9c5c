"""What the names of timm's vision transformers stand for, and which it reads."""

import functools
import inspect
import re

import pytest
import timm
import timm.models.deit
import timm.models.vision_transformer
from timm.models import is_model, model_entrypoint
from timm.models._registry import _deprecated_models as deprecated_names
from timm.models.vision_transformer import VisionTransformer

from virtus.errors import CheckpointError
from virtus.models.timm_family import read_arguments

MODULES = {timm.models.deit: "_create_deit", timm.models.vision_transformer: "_create_vision_transformer"}
DEFAULTS = {key: value.default for key, value in inspect.signature(VisionTransformer).parameters.items()}
IGNORED = {"pretrained_cfg", "dynamic_img_size"}


class _Made(Exception):
    """The arguments that an architecture of timm would be made with."""


def arguments_of_timm(monkeypatch, name):
    def stop(_, **arguments):
        arguments.pop("pretrained")
        raise _Made({"distilled": False} | arguments)

    for module, maker in MODULES.items():
        monkeypatch.setattr(module, maker, stop)
    with pytest.raises(_Made) as caught:
        model_entrypoint(name)()
    return caught.value.args[0]


def plain(arguments):
    """In the form of `read_arguments`; the norm as its eps."""
    norm = arguments.pop("norm_layer", None)
    eps = norm.keywords.get("eps", 1e-6) if isinstance(norm, functools.partial) else 1e-6
    return {key: value for key, value in arguments.items() if key not in IGNORED} | {"eps": eps}


def names():
    for module in MODULES:
        for name in module.__all__:
            if is_model(name) and not name.endswith(("in21k", "in21ft1k", "_sam", "_dino", "_laion2b")):
                yield name


def test_names_stand_for_what_they_stand_for_in_timm(monkeypatch):
    num_read = 0
    for name in names():
        theirs = plain(arguments_of_timm(monkeypatch, name))
        try:
            ours = read_arguments(name)
        except CheckpointError:
            continue
        num_read += 1
        size = timm.models.get_pretrained_cfg(name).input_size[1] if not theirs.get("img_size") else theirs["img_size"]
        expected = {key: theirs.pop(key, DEFAULTS.get(key)) for key in ours} | {"img_size": size}
        assert not theirs.keys() - expected.keys(), name
        for arguments in (ours, expected):  # how large layer scale begins does not matter
            arguments["init_values"] = bool(arguments["init_values"])
            arguments["mlp_ratio"] = int(arguments["embed_dim"] * arguments["mlp_ratio"])
            arguments["act_layer"] = arguments["act_layer"] or "gelu"
        assert ours == expected, name
    assert num_read > 120


def test_names_of_before_timm_0_8_and_those_with_a_tag_stand_for_what_timm_takes_them_for():
    is_plain = re.compile("(vit|deit3)_.*_patch").match
    renamed = {old: new for old, new in deprecated_names.items() if is_plain(old)}
    del renamed["vit_base_patch16_224_miil_in21k"]  # no bias for queries, keys and values: refused by either name
    assert len(renamed) == 27
    for old, new in renamed.items():
        assert read_arguments(old) == read_arguments(new) == read_arguments(new.partition(".")[0]), old


PLAIN = {name for module in MODULES for name in module.__all__}


def test_all_that_is_no_plain_vision_transformer_in_timm_is_refused():
    others = [name for name in timm.list_models() if name not in PLAIN]
    assert len(others) > 1000
    for name in [*others, "vit_base_patch16_18x2_224", "vit_giant_patch14_dinov2", "vit_base_patch16_radio_v3", ""]:
        with pytest.raises(CheckpointError, match="of which only plain vision transformers can judge"):
            read_arguments(name)
