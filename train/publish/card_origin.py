"""What a run was made of, what is wrong with that and what it cost, as its model card says it."""

from __future__ import annotations

from collections.abc import Iterable

from train.checks import SUSPECT
from train.config import DEIT_BASE, DEIT_TINY, PUBLISHED, VIT_BASE
from train.publish.run import Run
from train.report import Table, or_dash, to_markdown
from virtus.bundled import ASSETS

CARDS = ASSETS / "cards"
LICENCES = {DEIT_TINY: "Apache-2.0", DEIT_BASE: "Apache-2.0", VIT_BASE: "Apache-2.0"}
SOURCES = {
    "openforensics": "part of a Kaggle set of in-the-wild face swaps (OpenForensics)",
    "dfdc": "faces from videos of the Deepfake Detection Challenge",
    "stylegan": "FFHQ photos and StyleGAN faces",
}
COUNTED = {  # in the audit of run.json
    "broken": "files that cannot be read, left out",
    "without_face": "pictures without a face that the engine finds",
    "crossing_groups": "groups that lie in several splits",
    "exact_duplicates_across_splits": "files that lie byte for byte in several splits",
}
NOT_RECORDED = "Not recorded for this run."
NOT_COUNTED = "What it was trained on was not recorded; it was judged on these sources."
CROPPED = (
    "Pictures without a face that the engine finds were left out. All faces are cropped alike, with a margin "
    "drawn from {} to {}."
)
WHOLE = "Trained on whole pictures as they are, not on crops of faces."
SHORTCUTS = f"Shortcuts: the AUC with which a trivial statistic alone tells fake from real, where it reaches {SUSPECT}."
NO_SHORTCUTS = f"No trivial statistic alone tells fake from real with an AUC of {SUSPECT} or more."


def describe_data(run: Run) -> str:
    """The pictures, their crop and the base; below them, what `cards/<recipe>.md` says."""
    counts = (run.record or {}).get("counts") or []
    names = dict.fromkeys([row["source"] for row in counts] or run.metrics["sources"])
    cropped = run.config.get("crop", "face") == "face"
    lines = [f"`{name}`: {SOURCES[name]}." for name in names if name in SOURCES]
    lines.append(CROPPED.format(*run.config["augmentation"]["margin"]) if cropped else WHOLE)
    lines.append(f"Base: `{run.base}`. Settings: `train_config.json`.")
    own = CARDS / f"{run.recipe}.md"
    more = [own.read_text(encoding="utf-8").strip()] if run.recipe != "card" and own.is_file() else []
    return "\n\n".join([_counts(counts) if counts else NOT_COUNTED, _bullets(lines), *more])


def describe_audit(record: dict | None) -> str:
    """What `fit` found before it began."""
    found = (record or {}).get("audit")
    if not found:
        return NOT_RECORDED
    lines = [f"{found[key]} {what}." for key, what in COUNTED.items() if key in found]
    shortcuts = found.get("shortcuts") or []
    told = [one for one in shortcuts if max(one["auc_before"] or 0, one["auc_after"] or 0) >= SUSPECT]
    if told:
        return f"{_bullets(lines)}\n\n{_shortcuts(told)}"
    return _bullets([*lines, NO_SHORTCUTS if shortcuts else "Shortcuts were not measured."])


def describe_faults(recipe: str) -> str:
    """What is known to be wrong with the recipe, and so with the figures; empty where nothing is known of it."""
    return _bullets(PUBLISHED[recipe].faults) if recipe in PUBLISHED else ""


def describe_cost(record: dict | None) -> str:
    """Hours and device of the training."""
    found = record or {}
    if found.get("hours") is None:
        return NOT_RECORDED
    return f"{found['hours']:.3g} hours on {found.get('device') or 'a device that was not recorded'}."


def describe_base(base: str) -> str:
    """The licence of what it was made from."""
    known = LICENCES.get(base)
    return f"Its base `{base}` is {known}." if known else f"Mind the licence of its base `{base}`, too."


def _counts(rows: list[dict]) -> str:
    cells = [[row["source"], row["split"] or "-", str(row["real"]), str(row["fake"])] for row in rows]
    return to_markdown(Table(["source", "split", "real", "fake"], cells, "Pictures of each source:"))


def _shortcuts(rows: list[dict]) -> str:
    cells = [[row["statistic"], or_dash(row["auc_before"]), or_dash(row["auc_after"]), row["verdict"]] for row in rows]
    return to_markdown(Table(["statistic", "in the picture", "after the crop", "left"], cells, SHORTCUTS))


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line[:1].upper()}{line[1:].rstrip('.')}." for line in lines)
