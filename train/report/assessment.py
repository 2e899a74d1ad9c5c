"""All that a report says of one checkpoint on one data set, as numbers: the content of metrics.json."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from train.report.evaluate import Judged
from train.report.intervals import CONFIDENCE, NUM_DRAWS, SEED, THRESHOLD, Figure, Judgements, headline
from train.report.robustness import Robustness, measure_robustness
from virtus.checkpoints import CHECKPOINTS, Detector
from virtus.results import CheckpointInfo, Label

ALL = "all"
CLASSES = ("real", "fake")
DEFAULT_VAL_SHARE = 0.2  # of TrainConfig
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
    judged: tuple[Judged, ...]
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
            "robustness": [row.to_json() for row in self.robustness],
            "pooled": self.pooled,
            "run": self.run,
            "evaluation": self.evaluation,
        }

    def outcomes(self, name: str) -> dict[Label, Counter]:
        """How often each outcome came out, for each class of a set."""
        rows = [self.judged[index] for index in self.sets[name]]
        return {label: Counter(str(one.report.outcome) for one in rows if one.sample.label is label) for label in Label}

    def class_rows(self, name: str) -> dict[str, dict]:
        """scikit-learn's classification report of a set, at THRESHOLD; a figure that is not defined is None."""
        from sklearn.metrics import classification_report

        own = self.judgements[name]
        if not own.judged.any():
            return {}
        rows = classification_report(
            own.is_fake[own.judged],
            own.called_fake[own.judged],
            labels=[False, True],
            target_names=CLASSES,
            output_dict=True,
            zero_division=float("nan"),
        )
        kept = (*CLASSES, "macro avg", "weighted avg")  # beside them, accuracy
        return {row: {key: _or_none(value) for key, value in rows[row].items()} for row in kept}

    def _set_to_json(self, name: str) -> dict:
        own, outcomes = self.judgements[name], self.outcomes(name)
        return {
            "num_images": len(own),
            "num_real": outcomes[Label.REAL].total(),
            "num_fake": outcomes[Label.FAKE].total(),
            "num_judged": int(own.judged.sum()),
            "num_groups": len(set(own.groups.tolist())),
            **{figure: value.to_json() for figure, value in self.figures[name].items()},
            "confusion": own.confusion(),
            "outcomes": {str(label): dict(sorted(found.items())) for label, found in outcomes.items()},
            "classification_report": self.class_rows(name),
        }


def assess(
    detector: Detector,
    judged: Sequence[Judged],
    *,
    data: str,
    part: str,
    seconds: float,
    robustness: bool = True,
) -> Assessment:
    """Figures, intervals and robustness of what `train.report.evaluate.judge` gave.

    Args:
        data: as it was given: a folder or a Hub data set.
        seconds: that the judging took.
        robustness: False leaves it out, which takes most of the time.
    """
    sets = _sets(judged)
    sources = [one.sample.source for one in judged]
    judgements = {name: _judgements([judged[index] for index in own]) for name, own in sets.items()}
    figures = {name: headline(judgements[name], [sources[index] for index in own]) for name, own in sets.items()}
    return Assessment(
        checkpoint=detector.checkpoint.info,
        data=_name(data),
        part=part,
        judged=tuple(judged),
        sets=sets,
        judgements=judgements,
        figures=figures,
        robustness=tuple(measure_robustness(detector, judged, sets=sets)) if robustness else (),
        pooled=_is_pooled(detector.checkpoint.info.name),
        run=_run_facts(detector.checkpoint.info.name),
        evaluation={"seconds": round(seconds, 1), "device": _device(detector)},
    )


def timed(work: Callable[..., list[Judged]], *arguments) -> tuple[list[Judged], float]:
    """What `work` gives, and the seconds that it took."""
    start = time.perf_counter()
    return work(*arguments), time.perf_counter() - start


def read_beside(checkpoint: str, name: str) -> dict | None:
    """A JSON file of the run that a checkpoint's folder lies in; None where there is none."""
    folder = Path(checkpoint).expanduser()
    if checkpoint in CHECKPOINTS or not folder.is_dir():  # a name of the Hub is no folder
        return None
    try:
        found = json.loads((folder.absolute().parent / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def val_share(checkpoints: Sequence[str]) -> float:
    """What training held out where the tree has no `val` split: of several runs the least, which all of them spared."""
    configs = [read_beside(name, "train_config.json") or {} for name in checkpoints]
    return min(config.get("val_share", DEFAULT_VAL_SHARE) for config in configs)


def _run_facts(checkpoint: str) -> dict | None:
    found = read_beside(checkpoint, "run.json")
    return {name: found.get(name) for name in RUN_FACTS} if found else None


def _is_pooled(checkpoint: str) -> bool:
    return (read_beside(checkpoint, "train_config.json") or {}).get("split", "by-group") != "by-group"


def _name(data: str) -> str:
    """Of a folder its own name alone: nobody needs to know where it lay."""
    return Path(data).resolve().name if Path(data).is_dir() else data


def _sets(judged: Sequence[Judged]) -> dict[str, list[int]]:
    sources = sorted({one.sample.source for one in judged})
    by_source = {name: [i for i, one in enumerate(judged) if one.sample.source == name] for name in sources}
    return by_source | {ALL: list(range(len(judged)))}


def _judgements(judged: Sequence[Judged]) -> Judgements:
    return Judgements(
        [one.sample.label for one in judged],
        [one.report for one in judged],
        [one.sample.group for one in judged],
    )


def _device(detector: Detector) -> str:
    trunk = detector.checkpoint.trunk
    cuda = trunk.device.type == "cuda"
    what = torch.cuda.get_device_name(trunk.device) if cuda else f"{os.cpu_count()} cores"
    return f"{trunk.device.type} ({what}), {str(trunk.dtype).removeprefix('torch.')}"


def _or_none(value: float) -> float | None:
    return None if value != value else float(value)
