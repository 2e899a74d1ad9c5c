"""Runs that leave a kind of fakes out, and what each says of that kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import DataLoader
from tqdm import tqdm

from train.config import TrainConfig
from train.data import (
    BLENDED,
    SWAPPED,
    Parts,
    Sample,
    divide,
    fakes_like,
    is_left_out,
    is_made,
    kind_of,
    part_of,
    take_evenly,
)
from train.fit.frozen import FrozenBase, fit_frozen
from train.fit.material import Material, RunPictures
from train.fit.model import load_base, start_of
from train.fit.tokens import BATCH_SIZE, TokenDataset
from train.fit.trainer import fit, rule_of
from train.pictures import CropDataset, FaceCache, FaceDataset, MadeDataset, TrainDataset
from virtus.checkpoints import Checkpoint, find_checkpoint, fit_calibration, load_checkpoint, margins_of
from virtus.errors import DataError
from virtus.models import Classifier, EvalTransform, has_bfloat16_units, resolve_device
from virtus.results import Calibration, Label

MIN_REALS = 20  # of the origin: with fewer a kind is judged against the reals of all sources
NUM_OF_KIND = 300  # pictures of a source and class that a choice looks at, at most
Measure = Callable[[FaceDataset], np.ndarray]  # logit of fake minus real of each row


class MarginLine(NamedTuple):
    """A look at a picture, as `benchmarks.calibration.thresholds` reads it; `part` is calibrate or judge."""

    run: str
    file: str
    label: str
    source: str
    kind: str
    part: str
    margin: float


@dataclass(frozen=True)
class KindRun:
    """What a run without a kind says.

    Attributes:
        kind: that was left out.
        classifier: what was fitted, in a few words.
        calibration: fitted without the kind; None where there was too little to calibrate on.
        lines: of the calibrating part, and of the pictures that the kind is judged on.
    """

    kind: str
    classifier: str
    calibration: Calibration | None
    lines: list[MarginLine]


@dataclass(frozen=True)
class KindPlan:
    """A kind that is left out, and the pictures that it is judged on.

    Attributes:
        config: of the run without it.
        parts: of that run.
        fakes, reals: with a face, of the data set.
        hows: in which fakes are made of the reals, where such are of the kind.
    """

    kind: str
    config: TrainConfig
    parts: Parts
    fakes: list[Sample]
    reals: list[Sample]
    hows: list[str]


def check_kinds(config: TrainConfig, names: Sequence[str]) -> None:
    """Refuse to leave out kinds that a recipe does not name, before the data are looked at.

    Raises:
        DataError: naming those that there are.
    """
    if not config.kinds:
        raise DataError(f"The recipe {config.recipe} names no kinds to leave out: take another, such as virtus-base.")
    if unknown := [name for name in names if name not in config.kinds]:
        raise DataError(f"There is no kind {unknown[0]!r} to leave out. There are: {', '.join(config.kinds)}.")


def plan(config: TrainConfig, material: Material, names: Sequence[str], part: str) -> list[KindPlan]:
    """What is left out in each run and what it is judged on; kinds without such pictures only if they are named.

    Args:
        material: of the whole recipe.
        names: of kinds; all of the recipe if empty.
        part: "choose" or "report".

    Raises:
        DataError: for a kind without pictures, or without which a class is missing.
    """
    plans = [_plan(config, material, kind, part) for kind in names or config.kinds]
    empty = [one.kind for one in plans if not (one.fakes or one.hows) or not one.reals]
    if empty and (names or len(empty) == len(plans)):
        raise DataError(
            f"There are no fakes of {empty[0]!r}, or no reals beside them, in the part {part!r} of the data."
        )
    for kind in empty:
        print(f"{kind}: not judged, for want of fakes or reals in the part {part!r}", flush=True)
    return [one for one in plans if one.kind not in empty]


def _plan(config: TrainConfig, material: Material, kind: str, part: str) -> KindPlan:
    without = replace(config, leave_out=tuple(dict.fromkeys([*config.leave_out, kind])))
    usable = [s for s in material.samples if material.faces is None or material.faces[s.path]]
    try:
        parts = divide(usable, without)
    except DataError as exc:
        raise DataError(f"Without {kind!r}: {exc}") from exc
    others = [sample for sample in usable if not is_left_out(sample, config.leave_out, config.kinds)]
    gone = [sample for sample in others if is_left_out(sample, [kind], config.kinds) and _is_free(sample, part)]
    fakes = [sample for sample in gone if kind_of(sample, config.kinds) == kind]
    reals = [sample for sample in gone if sample.label is Label.REAL]
    if len(reals) < MIN_REALS:
        reals = [sample for sample in others if sample.label is Label.REAL and part_of(sample) == part]
    if part == "choose":
        fakes, reals = (take_evenly(samples, NUM_OF_KIND) for samples in (fakes, reals))
    hows = [how for how in (BLENDED, SWAPPED) if not is_made(how, [kind], config.kinds) and material.faces]
    return KindPlan(kind, without, parts, fakes, reals, hows)


def _is_free(sample: Sample, part: str) -> bool:
    """Whether a picture that nothing of the run used may be looked at: for a choice those to train on too."""
    return part_of(sample) == part or (part == "choose" and sample.split == "train")


def fit_without(left_out: KindPlan, material: Material, out_dir: Path, cache: FaceCache) -> list[KindRun]:
    """A whole run of the recipe without the kind, from its last step on where it was begun; one that ended is kept.

    Args:
        out_dir: of that run, as `fit` takes it.
    """
    if not (out_dir / "run.json").exists():  # written last
        fit(left_out.config, out_dir=out_dir, resume=True, anyway=True, cache=cache, novelty=False)
    folder = str((out_dir / "checkpoint").resolve())
    judging = _Judging(left_out, material, *_measure(left_out.config, material, folder, cache))
    calibration = find_checkpoint(folder).info.calibration
    return [KindRun(left_out.kind, "", calibration, [*judging.calibrating(), *judging.judged()])]


def _measure(config: TrainConfig, material: Material, folder: str, cache: FaceCache) -> tuple[EvalTransform, Measure]:
    """Of a finished run: the eval transform, and what measures margins, from kept tokens where the run keeps them.

    The blocks below `cached_block` are those of the base to the last bit, and by them the tokens are found again.
    """
    if config.cached_draws and not config.teacher:
        end = load_base(folder)
        run = RunPictures(config, material, end, kept=cache.file.parent / "tokens")
        return end.transform, lambda pictures: token_margins(end.classifier, run.keep(pictures), config)
    checkpoint = load_checkpoint(folder)
    return checkpoint.transform, lambda pictures: margins(checkpoint, pictures)


def fit_frozen_without(left_out: KindPlan, material: Material, base: FrozenBase) -> list[KindRun]:
    """A linear discriminant on features of the frozen base: of its last blocks, and of the last alone."""
    config = replace(left_out.config, cached_draws=0, clean_looks=False, probe=False, teacher="")
    transform, clean_looks = base.start.transform, left_out.config.clean_looks
    own = replace(material, parts=left_out.parts)
    training = RunPictures(config, own, base.start, kept=base.store.file.parent).for_training()
    assert isinstance(training, TrainDataset)
    features, runs = base.features(training, clean_looks=clean_looks), list[KindRun]()
    for num_blocks in dict.fromkeys((base.num_blocks, 1)):
        kinds = training.kinds * (1 + clean_looks)
        model = fit_frozen(_last(features, num_blocks), kinds, config.source_weights)
        judging = _Judging(
            left_out,
            material,
            transform,
            lambda pictures, model=model, num=num_blocks: model.margins(_last(base.features(pictures), num)),
        )
        calibrating = judging.calibrating()
        words = f"last {num_blocks} blocks" if num_blocks > 1 else "last block"
        runs.append(KindRun(left_out.kind, words, _calibrate(calibrating, config), [*calibrating, *judging.judged()]))
    return runs


def open_frozen(config: TrainConfig, cache: FaceCache) -> FrozenBase:
    """The frozen base of a recipe, its features beside the remembered faces."""
    return FrozenBase(config, start_of(config), kept=cache.file.parent / "features")


def _last(features: np.ndarray, num_blocks: int) -> np.ndarray:
    return features[:, -num_blocks:].reshape(len(features), -1)


@torch.inference_mode()
def margins(checkpoint: Checkpoint, pictures: FaceDataset) -> np.ndarray:
    """Logit of fake minus real of each row, (N,) float64."""
    trunk, found = checkpoint.trunk, [np.empty(0)]
    for batch in tqdm(DataLoader(pictures, BATCH_SIZE), desc="judging", unit="batch"):
        logits = trunk.logits(trunk.embed(batch["pixel_values"]))
        found.append(margins_of(logits, checkpoint.outputs).double().cpu().numpy())
    return np.concatenate(found)


@torch.inference_mode()
def token_margins(classifier: Classifier, tokens: TokenDataset, config: TrainConfig) -> np.ndarray:
    """Logit of fake minus real of each row, (N,) float64, as the run's own evaluation gives them."""
    device, found = resolve_device(), [np.empty(0)]
    classifier.to(device).eval()
    bfloat16 = torch.autocast(device.type, torch.bfloat16, enabled=config.bf16 and has_bfloat16_units(device))
    for batch in tqdm(DataLoader(tokens, BATCH_SIZE), desc="judging", unit="batch"):  # float16: no batch under autocast
        with bfloat16:
            logits = classifier.judge(batch["hidden"].to(device).float(), first_block=config.cached_block).double()
        found.append((logits[:, 1] - logits[:, 0]).cpu().numpy())
    return np.concatenate(found)


def _calibrate(lines: Sequence[MarginLine], config: TrainConfig) -> Calibration | None:
    """As `fit` does: on two looks of each picture."""
    looks = [lines[: len(lines) // 2], lines[len(lines) // 2 :]]
    margins_of_looks = np.array([[line.margin for line in look] for look in looks]).T
    try:
        labels, sources = [Label(line.label) for line in looks[0]], [line.source for line in looks[0]]
        kinds = [line.kind for line in looks[0]]
        return fit_calibration(margins_of_looks, labels, sources, kinds, rule=rule_of(bound_kinds=config.bound_kinds))
    except DataError as exc:
        print(f"not calibrated: {exc}", flush=True)
        return None


class _Judging:
    """What is looked at in one run, by what measures margins."""

    def __init__(self, left_out: KindPlan, material: Material, transform: EvalTransform, measure: Measure):
        self.left_out, self.faces, self.transform, self.measure = left_out, material.faces, transform, measure

    def calibrating(self) -> list[MarginLine]:
        """Of each picture as it is, then of each degraded."""
        samples = self.left_out.parts.calibrate
        return [line for degraded in (False, True) for line in self._lines(samples, "calibrate", degraded=degraded)]

    def judged(self) -> list[MarginLine]:
        """Of reals and fakes, those of the data set and those made of the reals."""
        own, made = self.left_out, list[MarginLine]()
        if own.hows and self.faces is not None:
            margin = own.config.margin
            pictures = MadeDataset(own.reals, self.faces, self.transform, hows=own.hows, margin=margin)
            named = [(f"{row.made} {row.sample.path}", "made") for row in pictures.rows]
            kinds = zip(named, self.measure(pictures), strict=True)
            made = [self._line(file, Label.FAKE, source, own.kind, "judge", m) for (file, source), m in kinds]
        return [*self._lines([*own.reals, *own.fakes], "judge"), *made]

    def _lines(self, samples: list[Sample], part: str, *, degraded: bool = False) -> Iterator[MarginLine]:
        config = self.left_out.config
        pictures = CropDataset(samples, self.faces, self.transform, margin=config.margin, degraded=degraded)
        for sample, margin in zip(pictures.samples, self.measure(pictures), strict=True):
            kind = "real" if sample.label is Label.REAL else fakes_like(sample, config.kinds)
            yield self._line(str(sample.path), sample.label, sample.source, kind, part, margin)

    def _line(self, file: str, label: Label, source: str, kind: str, part: str, margin: float) -> MarginLine:
        return MarginLine(self.left_out.kind, file, str(label), source, kind, part, round(float(margin), 4))
