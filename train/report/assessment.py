"""All that a report says of one checkpoint on one data set, as numbers: the content of metrics.json."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from train.config import TrainConfig
from train.report.evaluate import JudgedSample, as_judgements, indices_by_source
from train.report.intervals import CONFIDENCE, NUM_DRAWS, SEED, THRESHOLD, Figure, Judgements, headline
from train.report.robustness import Robustness, measure_robustness
from virtus.checkpoints import CHECKPOINTS, Detector
from virtus.results import CheckpointInfo, Label

ALL = "all"
CLASSES = ("real", "fake")
RUN_FACTS = ("hours", "device")


@dataclass(frozen=True)
class Assessment:
    """One checkpoint on one data set.

    Attributes:
        checkpoint: who judged.
        data: name of the folder.
        part: of the held-out pictures.
        judged: the pictures, each with what was said of it.
        sets: indices in `judged` for each source, and for "all" of them at the end.
        judgements, figures: for each set.
        robustness: empty where it was not measured.
        pooled: whether its recipe may have trained on some of these pictures.
        run: hours and device of the training, where they are known.
        evaluation: seconds and device of the judging.
    """

    checkpoint: CheckpointInfo
    data: str
    part: str
    judged: tuple[JudgedSample, ...]
    sets: dict[str, list[int]]
    judgements: dict[str, Judgements]
    figures: dict[str, dict[str, Figure]]
    robustness: tuple[Robustness, ...]
    pooled: bool
    run: dict | None
    evaluation: dict

    @property
    def shown_sets(self) -> list[str]:
        """The sets that differ: "all" says nothing new of one source."""
        return [name for name in self.sets if name != ALL or len(self.sets) > 2]

    @property
    def shown_judgements(self) -> dict[str, Judgements]:
        return {name: self.judgements[name] for name in self.shown_sets}

    def to_json(self) -> dict:
        """The content of metrics.json. A figure is `{"value", "low", "high"}`, each null where it is not defined."""
        sets = {name: self._set_to_json(name) for name in self.sets}
        return {
            "checkpoint": self.checkpoint.to_json(),
            "data": self.data,
            "part": self.part,
            "threshold": THRESHOLD,
            "bootstrap": {"over": "groups", "num_draws": NUM_DRAWS, "confidence": CONFIDENCE, "seed": SEED},
            "all": sets.pop(ALL),
            "sources": sets,
            "robustness": [asdict(row) for row in self.robustness],
            "pooled": self.pooled,
            "run": self.run,
            "evaluation": self.evaluation,
        }

    def sources_of(self, name: str) -> list[str]:
        """Of each picture of a set: intervals are drawn within a source."""
        return [self.judged[index].sample.source for index in self.sets[name]]

    def outcomes(self, name: str) -> dict[Label, Counter]:
        """How often each outcome came out, for each class of a set."""
        rows = [self.judged[index] for index in self.sets[name]]
        return {
            label: Counter(str(picture.report.outcome) for picture in rows if picture.sample.label is label)
            for label in Label
        }

    def class_rows(self, name: str) -> dict[str, dict]:
        """scikit-learn's classification report of a set, at THRESHOLD; a figure that is not defined is None."""
        from sklearn.metrics import classification_report

        judgements = self.judgements[name]
        truth, called = judgements.is_fake[judgements.judged], judgements.called_fake[judgements.judged]
        if not len(truth):
            return {}
        undefined = float("nan")  # scikit-learn takes it; its stub knows texts alone, and one kind of answer
        rows: dict = classification_report(  # pyright: ignore[reportAssignmentType]
            truth,
            called,
            labels=[False, True],
            target_names=CLASSES,
            output_dict=True,
            zero_division=undefined,  # pyright: ignore[reportArgumentType]
        )
        kept = (*CLASSES, "macro avg", "weighted avg")  # beside them, accuracy
        return {
            row: {key: None if value != value else float(value) for key, value in rows[row].items()} for row in kept
        }

    def _set_to_json(self, name: str) -> dict:
        judgements, outcomes = self.judgements[name], self.outcomes(name)
        return {
            "num_images": len(judgements),
            "num_real": outcomes[Label.REAL].total(),
            "num_fake": outcomes[Label.FAKE].total(),
            "num_judged": int(judgements.judged.sum()),
            "num_groups": judgements.num_groups,
            **{figure: asdict(value) for figure, value in self.figures[name].items()},
            "confusion": judgements.confusion(),
            "outcomes": {str(label): dict(sorted(counts.items())) for label, counts in outcomes.items()},
            "classification_report": self.class_rows(name),
        }


def assess(
    detector: Detector,
    judged: Sequence[JudgedSample],
    *,
    data: str,
    part: str,
    elapsed_s: float,
    robustness: bool = True,
) -> Assessment:
    """Figures, intervals and robustness of what `train.report.evaluate.judge` gave.

    Args:
        data: as it was given: a folder or a Hub data set.
        elapsed_s: that the judging took.
        robustness: False leaves it out, which takes most of the time.
    """
    checkpoint = detector.checkpoint.info
    by_source = {f"{name} (source)" if name == ALL else name: own for name, own in indices_by_source(judged).items()}
    sets = by_source | {ALL: list(range(len(judged)))}
    judgements = {name: as_judgements([judged[index] for index in indices]) for name, indices in sets.items()}
    sources = {name: [judged[index].sample.source for index in indices] for name, indices in sets.items()}
    run = read_beside(checkpoint.name, "run.json")
    settings = read_beside(checkpoint.name, "train_config.json") or {}
    return Assessment(
        checkpoint=checkpoint,
        data=Path(data).resolve().name if Path(data).is_dir() else data,  # nobody needs to know where it lay
        part=part,
        judged=tuple(judged),
        sets=sets,
        judgements=judgements,
        figures={name: headline(judgements[name], sources[name]) for name in sets},
        robustness=tuple(measure_robustness(detector, judged, sets=sets)) if robustness else (),
        pooled=settings.get("split", "by-group") != "by-group",
        run={name: run.get(name) for name in RUN_FACTS} if run else None,
        evaluation={"seconds": round(elapsed_s, 1), "device": _device(detector)},
    )


def read_beside(checkpoint: str, name: str) -> dict | None:
    """A JSON file of the run that a checkpoint's folder lies in; None where there is none."""
    folder = Path(checkpoint).expanduser()
    if checkpoint in CHECKPOINTS or not folder.is_dir():  # a name of the Hub is no folder
        return None
    try:
        content = json.loads((folder.absolute().parent / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def val_share(checkpoints: Sequence[str]) -> float:
    """What training held out where the tree has no `val` split: of several runs the least, which all of them spared."""
    configs = [read_beside(name, "train_config.json") or {} for name in checkpoints]
    return min(config.get("val_share", TrainConfig.val_share) for config in configs)


def _device(detector: Detector) -> str:
    trunk = detector.checkpoint.trunk
    cuda = trunk.device.type == "cuda"
    what = torch.cuda.get_device_name(trunk.device) if cuda else f"{os.cpu_count()} cores"
    return f"{trunk.device.type} ({what}), {trunk.precision}"
