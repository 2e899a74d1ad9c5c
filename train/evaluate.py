"""Figures for each source, with the engine's own face finder, crop and transform: what users will get."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from pathlib import Path

from tqdm import tqdm

from train.data import find_samples
from train.split import assign_splits, half_of
from virtus.checkpoints import load_checkpoint
from virtus.detector import Detector
from virtus.evaluation import Evaluation, evaluate_labelled
from virtus.results import Label


def evaluate_sources(
    checkpoint: str, data: Path, *, half: str = "report", val_share: float = 0.2
) -> dict[str, Evaluation]:
    """Judge the `val` pictures of each source.

    Args:
        checkpoint: a name for `virtus.load_checkpoint`.
        half: "report" (what neither trained nor chose), "choose", or "all".
        val_share: as in training, where the tree has no `val` split.
    """
    samples = [s for s in assign_splits(find_samples(data), val_share=val_share) if s.split == "val"]
    samples = [s for s in samples if half in ("all", half_of(s.group))]
    detector = Detector(load_checkpoint(checkpoint))
    by_source = defaultdict(list)
    for sample in samples:
        by_source[sample.source].append((sample.path, sample.label))
    return {source: _evaluate(detector, source, own) for source, own in sorted(by_source.items())}


def source_table(results: dict[str, Evaluation]) -> str:
    """A Markdown table, a line for each source."""
    head = "| source | pictures | judged | accuracy | macro F1 | AUC | reals called fake | fakes called real |"
    return "\n".join([head, "| --- |" + " ---: |" * 7, *(_line(source, result) for source, result in results.items())])


def _evaluate(detector: Detector, source: str, labelled: list[tuple[Path, Label]]) -> Evaluation:
    bar = partial(tqdm, total=len(labelled), desc=source, unit="img")
    return evaluate_labelled(detector, labelled, progress=bar)


def _line(source: str, result: Evaluation) -> str:
    m = result.to_json()
    (real_real, real_fake), (fake_real, fake_fake) = m["confusion"]
    cells = [
        source,
        str(m["num_images"]),
        f"{m['num_judged'] / m['num_images']:.1%}",
        _figure(m["accuracy"]),
        _figure(m["macro_f1"]),
        _figure(m["auc"]),
        _share(real_fake, real_real + real_fake),
        _share(fake_real, fake_real + fake_fake),
    ]
    return "| " + " | ".join(cells) + " |"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
