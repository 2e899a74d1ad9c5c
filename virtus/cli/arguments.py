"""Options that several commands share, the kinds of values they take, and the detector that they ask for."""

from __future__ import annotations

import argparse
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.checkpoints import ENVIRONMENT_VARIABLE, bundled_default, bundled_words
from virtus.errors import InputError
from virtus.models import PRECISIONS

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

PRECISION_WORDS = "auto: what is fast here and changes p little, of bfloat16, int8, float32; see docs/verdicts.md"


def model_options(several: str = "") -> argparse.ArgumentParser:
    """Which checkpoint judges, and on what.

    Args:
        several: what it means to give `--model` again, where that is possible. `models` then has all that were given.
    """
    parent = argparse.ArgumentParser(add_help=False)
    group = parent.add_argument_group("model", " ".join(bundled_words()))
    auto = f"auto ({bundled_default()}, or what {ENVIRONMENT_VARIABLE} names)"
    meaning = f"checkpoint: {auto}, a known name, a folder, or a Hub id owner/name"
    if several:
        parent.set_defaults(models=())
        group.add_argument("--model", action=_Models, default="auto", help=f"{meaning}; {several}")
    else:
        group.add_argument("--model", default="auto", help=meaning)
    add_fake_label(group)
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    group.add_argument("--precision", default="auto", choices=PRECISIONS, help=PRECISION_WORDS)
    group.add_argument("--whole-image", action="store_true", help="judge pictures as they are: ready-made face crops")
    return parent


def add_fake_label(group: argparse._ActionsContainer) -> None:
    """The option that says what a checkpoint's own labels do not."""
    meaning = (
        "which class is fake, where the checkpoint's labels do not say it; of one output: 0, or none if it is real"
    )
    group.add_argument("--fake-label", metavar="NAME_OR_INDEX", help=meaning)


def checkpoint_names(args: argparse.Namespace) -> list[str]:
    """The checkpoints that `model_options` name, with the label of their fake class where one was said.

    Raises:
        InputError: for several checkpoints and one `--fake-label`.
    """
    names = [*getattr(args, "models", ())] or [args.model]
    if args.fake_label is None:
        return names
    if len(names) > 1:
        raise InputError(
            "--fake-label goes with one --model. Of several, write the label behind each name: --model NAME#LABEL."
        )
    return [f"{names[0]}#{args.fake_label}"]


def prior_option() -> argparse.ArgumentParser:
    """For which share of fakes p is said."""
    parent = argparse.ArgumentParser(add_help=False)
    meaning = "share of fakes expected among photos like these; p and outcome change (default: 0.5)"
    parent.add_argument("--prior", type=_prior, default=0.5, metavar="SHARE", help=meaning)
    return parent


def stability_option() -> argparse.ArgumentParser:
    """Whether a verdict has to hold under small changes."""
    parent = argparse.ArgumentParser(add_help=False)
    meaning = "judge each face again under small changes: JPEG, half size, mirrored, cut closer and wider"
    parent.add_argument("--stability", action="store_true", help=meaning)
    return parent


def report_option() -> argparse.ArgumentParser:
    """Where a written report goes."""
    parent = argparse.ArgumentParser(add_help=False)
    meaning = (
        "write a report of one picture: a page, and its JSON beside it; judges with --stability and tests the maps"
    )
    parent.add_argument("--report", type=Path, metavar="FILE.html", help=meaning)
    return parent


def load_detector(args: argparse.Namespace, *, prior: float = 0.5) -> Detector:
    """The detector that `model_options` describe.

    Raises:
        CheckpointError: if it cannot be loaded.
    """
    return _load(checkpoint_names(args)[0], args, prior)


def load_detectors(args: argparse.Namespace, *, prior: float = 0.5) -> list[Detector]:
    """Those of all `models`, in the order asked for.

    Raises:
        CheckpointError: if one of them cannot be loaded.
    """
    return [_load(name, args, prior) for name in checkpoint_names(args)]


def _load(name: str, args: argparse.Namespace, prior: float) -> Detector:
    from virtus.checkpoints import Detector, load_checkpoint

    return Detector(load_checkpoint(name, device=args.device, precision=args.precision), prior=prior)


class _Models(argparse.Action):
    """`models` gets every checkpoint that is named, `model` the first: it judges alone where only one can."""

    def __call__(self, parser, namespace, name, option_string=None) -> None:  # noqa: ARG002 (argparse's signature)
        namespace.models = (*namespace.models, name)
        namespace.model = namespace.models[0]


def port(text: str) -> int:
    """A TCP port."""
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 65535, not {text!r}")
    return int(text)


def count(text: str) -> int:
    """A whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not {text!r}")
    return int(text)


def folder(text: str) -> Path:
    """A name of a folder: an empty one, of a variable that is not set, would be the working folder."""
    if not text:
        raise argparse.ArgumentTypeError("is empty: name a folder, or . for this one")
    return Path(text)


def any_count(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 on, not {text!r}")
    return int(text)


def environment_port() -> int | None:
    """GRADIO_SERVER_PORT, None if it is not set. Gradio's import ends in a traceback where it is no number.

    Raises:
        InputError: if it is set, and no port.
    """
    text = os.environ.get("GRADIO_SERVER_PORT")
    try:
        return None if text is None else port(text.strip())
    except argparse.ArgumentTypeError as exc:
        raise InputError(f"The environment variable GRADIO_SERVER_PORT {exc}.") from exc


def share(text: str) -> float:
    """A number from 0 to 1."""
    if not 0 <= (value := _number(text)) <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, not {text!r}")
    return value


def _prior(text: str) -> float:
    if not 0 < (value := _number(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and below 1, not {text!r}")
    return value


def _number(text: str) -> float:
    """Not a number for what is none: it fails every comparison."""
    try:
        return float(text)
    except ValueError:
        return math.nan
