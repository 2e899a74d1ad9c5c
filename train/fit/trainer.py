"""`fit`: a recipe to a checkpoint folder, by `transformers.Trainer`."""

from __future__ import annotations

import copy
import json
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from accelerate import PartialState
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments

from train.config import TrainConfig
from train.data import Sample, fakes_like
from train.fit.distillation import Student, Teacher
from train.fit.material import Material, RunPictures, gather
from train.fit.model import StartingPoint, Trainable, go_back, save_checkpoint, start_of
from train.fit.novelty import add_novelty
from train.fit.probe import check_probe, start_from_probe
from train.fit.record import CONFIG, RECORD, find_last_step, number_of, read_record, record_run
from train.fit.tokens import TokenDataset
from train.pictures import (
    BalancedSampler,
    CoupleSampler,
    FaceCache,
    PairSampler,
    RowKind,
    TrainDataset,
)
from virtus.checkpoints import LENIENT_RULE, RULE, ThresholdRule, area_under_roc, fit_calibration
from virtus.errors import DataError
from virtus.models import has_bfloat16_units, resolve_device, rounded
from virtus.results import Calibration, Label


@dataclass(frozen=True)
class TrainResult:
    """Where the checkpoint lies, and the figures on the choosing part that it was chosen by."""

    checkpoint: Path
    chosen_by: dict[str, float]


def fit(
    config: TrainConfig,
    *,
    out_dir: Path,
    resume: bool = False,
    anyway: bool = False,
    cache: FaceCache | None = None,
    novelty: bool = True,
) -> TrainResult:
    """Fine-tune a base on labelled faces, keep the best step, and calibrate it.

    Trained, chosen and calibrated on three parts of the data that share no group; a fourth is left for the report (see
    `train.data.splits`). Under `torchrun` or `accelerate launch` every process calls this.

    Args:
        out_dir: gets `checkpoint/` (in the Hub's layout), `train_config.json`, `run.json` and the Trainer's `steps/`.
        resume: go on from the last whole step in `out_dir` where there is one.
        anyway: train although groups cross the splits.
        cache: of faces, beside which tokens are kept; the user's own by default.
        novelty: whether what is unfamiliar to it is fitted too, which takes a pass over training pictures.

    Raises:
        DataError: no labelled pictures, a group in two splits, a class without faces, an `out_dir` that is in use.
        CheckpointError: a base that does not load.
    """
    state = PartialState(cpu=not torch.accelerator.is_available())
    last = find_last_step(config, out_dir, resume=resume)
    cache = cache or FaceCache()
    teacher = Teacher(config) if config.teacher else None
    material = gather(config, anyway=anyway, cache=cache)
    start = _start(config, teacher)
    model = _model(config, start, teacher)
    state.wait_for_everyone()  # until all have looked whether there is a run
    if state.is_main_process:
        out_dir.mkdir(parents=True, exist_ok=True)
        config.save(out_dir / CONFIG)
    pictures = RunPictures(config, material, start, kept=cache.file.parent / "tokens", teacher=teacher)
    trainer, started = _trainer(config, out_dir, model, pictures, is_new=last is None), time.monotonic()
    _train(trainer, config, start, last)
    chosen_by = trainer.evaluate()
    elapsed_s = time.monotonic() - started
    calibration = _fit_calibration(trainer, pictures, config)
    if state.is_main_process:
        save_checkpoint(start, config, out_dir / "checkpoint", calibration)
        if novelty:
            _add_novelty(out_dir / "checkpoint", material)
        since = {"elapsed_s": elapsed_s, "first_step": number_of(last), "earlier": read_record(out_dir)}
        record = record_run(config, material.samples, material.look, trainer, chosen_by=chosen_by, **since)
        (out_dir / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    state.wait_for_everyone()
    return TrainResult(out_dir / "checkpoint", chosen_by)


def _start(config: TrainConfig, teacher: Teacher | None) -> StartingPoint:
    """The base, as the teacher asks for where there is one."""
    start = start_of(config)
    if teacher is not None:
        start = teacher.prepare(start)
    if config.probe:  # before tokens are computed, which may take an hour
        check_probe(start.classifier)
    return start


def _model(config: TrainConfig, start: StartingPoint, teacher: Teacher | None) -> Trainable:
    tuned = {"tune": config.tune, "head": config.head, "keep_tokens": config.keep_tokens}
    if teacher is not None:
        return Student(start, teacher, config, **tuned)
    return Trainable(start.classifier, **tuned, first_block=config.cached_block)


def _train(trainer: Trainer, config: TrainConfig, start: StartingPoint, last: Path | None) -> None:
    """Train the classifier that training starts from, from the last step on, and make it what is saved of it."""
    began = copy.deepcopy(start.classifier.state_dict()) if config.start_share else {}
    trainer.train(resume_from_checkpoint=last and str(last))
    if config.start_share:
        go_back(start.classifier, began, config.start_share)
    if config.weights == "int8":
        start.classifier.load_state_dict(rounded(start.classifier.state_dict()))


def _add_novelty(folder: Path, material: Material) -> None:
    try:
        add_novelty(folder, material.parts.train, material.parts.calibrate, material.faces)
    except DataError as exc:
        print(f"does not know what is unfamiliar: {exc}", flush=True)


def source_aucs(logits: np.ndarray, samples: list[Sample]) -> dict[str, float]:
    """AUC for each source, their mean, and that of all pictures together, from logits of shape (N, 2)."""
    is_fake, margins = [sample.label is Label.FAKE for sample in samples], logits[:, 1] - logits[:, 0]
    by_source = defaultdict(list)
    for sample, *row in zip(samples, is_fake, margins, strict=True):
        by_source[sample.source].append(row)
    aucs = {f"auc_{source}": area_under_roc(*zip(*rows, strict=True)) for source, rows in by_source.items()}
    known = {name: auc for name, auc in aucs.items() if auc is not None}
    mean_auc = float(np.mean(list(known.values()))) if known else 0.0
    return known | {"mean_auc": mean_auc, "auc": area_under_roc(is_fake, margins) or 0.0}


class SetEpoch(TrainerCallback):
    """Tells those who draw by it which epoch begins, or is gone on with in its middle.

    accelerate does not reach them all: not where batches are skipped and several processes share them.
    """

    def __init__(self, *parts: TrainDataset | TokenDataset | CoupleSampler | None):
        self.parts = [part for part in parts if part is not None]

    def on_epoch_begin(self, args, state, control, **_):  # noqa: ARG002  its names are the Trainer's
        for part in self.parts:
            part.set_epoch(int(state.epoch or 0))


class FitTrainer(Trainer):
    """With an order of the training pictures of its own; None for the Trainer's."""

    def __init__(self, sampler: CoupleSampler | None, **arguments):
        super().__init__(**arguments)
        self.sampler = sampler

    def _get_train_sampler(self, train_dataset=None):  # there is no public name for it
        return self.sampler or super()._get_train_sampler(train_dataset)


def _told(sampler: CoupleSampler) -> str:
    if not sampler.num_pairs:
        return (
            "no pairs: no group of the training part has both classes; batches hold as many reals as fakes, across "
            "groups. A groups.csv says which pictures belong together."
        )
    others = len(sampler) // 2 - sampler.num_pairs
    return f"{sampler.num_pairs} pairs of one group and {others} couples across groups in each epoch"


def _sampler(config: TrainConfig, kinds: Sequence[RowKind]) -> CoupleSampler | None:
    if not config.in_couples:
        return None
    if config.balance == "batch":
        sampler = BalancedSampler(kinds, seed=config.seed, weights=config.source_weights)
    else:
        sampler = PairSampler(kinds, seed=config.seed)
    if PartialState().is_main_process:
        print(_told(sampler), flush=True)
    return sampler


def _trainer(config: TrainConfig, out_dir: Path, model: Trainable, pictures: RunPictures, *, is_new: bool) -> Trainer:
    training, choosing = pictures.for_training(), pictures.as_seen(pictures.material.parts.choose)
    if config.probe and is_new and isinstance(training, TokenDataset):
        with PartialState().main_process_first():
            start_from_probe(config, pictures.start, training)
    sampler = _sampler(config, training.kinds)
    return FitTrainer(
        sampler,
        model=model,
        args=_arguments(config, out_dir),
        train_dataset=training,
        eval_dataset=choosing,
        compute_metrics=lambda output: source_aucs(np.asarray(output.predictions), choosing.samples),
        callbacks=[
            SetEpoch(training, sampler),
            *([EarlyStoppingCallback(config.early_stopping)] if config.early_stopping else []),
        ],
    )


def _arguments(config: TrainConfig, out_dir: Path) -> TrainingArguments:
    interval = "steps" if config.eval_steps else "epoch"
    return TrainingArguments(
        output_dir=str(out_dir / "steps"),
        num_train_epochs=config.num_epochs,
        max_steps=config.max_steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup,  # below 1 a share of all steps
        weight_decay=config.weight_decay,
        label_smoothing_factor=config.label_smoothing,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.eval_batch_size,
        eval_strategy=interval,
        save_strategy=interval,
        eval_steps=config.eval_steps or None,
        save_steps=config.eval_steps or 500,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model=config.choose_by,
        greater_is_better=config.choose_by != "loss",
        logging_steps=20,
        seed=config.seed,
        bf16=config.bf16 and has_bfloat16_units(resolve_device()),
        use_cpu=not torch.accelerator.is_available(),
        dataloader_num_workers=config.num_workers,
        report_to=config.report_to,
    )


def rule_of(*, bound_kinds: bool) -> ThresholdRule:
    """What the thresholds of a run promise."""
    return RULE if bound_kinds else LENIENT_RULE


def _fit_calibration(trainer: Trainer, pictures: RunPictures, config: TrainConfig) -> Calibration | None:
    """On pictures that served nothing else, as they are and degraded, all processes taking part; None for too few."""
    trainer.compute_metrics = None  # it knows the choosing part's sources alone
    looks = [pictures.as_seen(pictures.material.parts.calibrate, degraded=degraded) for degraded in (False, True)]
    samples = looks[0].samples
    logits = [np.asarray(trainer.predict(look).predictions) if samples else np.empty((0, 2)) for look in looks]
    margins = np.stack([of_look[:, 1] - of_look[:, 0] for of_look in logits], axis=1)
    labels, sources = [sample.label for sample in samples], [sample.source for sample in samples]
    try:
        kinds = [fakes_like(sample, config.kinds) for sample in samples]
        return fit_calibration(margins, labels, sources, kinds, rule=rule_of(bound_kinds=config.bound_kinds))
    except DataError as exc:
        if trainer.is_world_process_zero():
            print(f"not calibrated: {exc}", flush=True)
        return None
