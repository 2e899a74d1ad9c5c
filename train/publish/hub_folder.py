"""A run as a folder for the Hugging Face Hub: whole or not at all, and no place of this machine in it."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from train.publish.card import render_card
from train.publish.hub import Target
from train.publish.run import Run, evaluate_command, folder_name, read_run
from virtus.checkpoints import FILE as NOVELTY
from virtus.checkpoints import Examination, examine_checkpoint, is_repo_id, load_checkpoint, write_sidecar
from virtus.errors import CheckpointError, DataError
from virtus.results import Label

PARTIAL, REPLACED = "hub.partial", "hub.replaced"  # beside the folder
PLOTS = "report"
SHARDS = "model.safetensors.index.json"
NAMES = {Label.REAL: "Real", Label.FAKE: "Fake"}
LOCAL_PATH = re.compile(r"(~|/|\.{1,2}([/\\]|$)|[A-Za-z]:[/\\]|\\\\).*", re.DOTALL)


def write_folder(target: Target) -> list[tuple[str, int]]:
    """Write all that goes to the Hub into the run's `hub/`, in place of what was there, and see that it loads.

    It is made beside its place and moved there when it is whole: a crash leaves the old one or none.

    Returns:
        Name and bytes of each file.

    Raises:
        DataError: if a part of the run is missing, or the report is of other weights.
        CheckpointError: if the checkpoint does not load.
    """
    run, partial = read_run(target.run), target.run / PARTIAL
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _fill(partial, run, target)
        with _named(run):
            load_checkpoint(str(partial), device="cpu", precision="float32")
        _check_no_paths(partial, run)
        _swap_in(partial, target.folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    files = sorted(path for path in target.folder.rglob("*") if path.is_file())
    return [(path.relative_to(target.folder).as_posix(), path.stat().st_size) for path in files]


def without_paths(value: Any) -> Any:
    """JSON content in which each text that is a path of this machine is the last part of that path."""
    if isinstance(value, dict):
        return {key: without_paths(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_paths(item) for item in value]
    return folder_name(value) if isinstance(value, str) and LOCAL_PATH.fullmatch(value) else value


def _fill(folder: Path, run: Run, target: Target) -> None:
    examined = examine_checkpoint(run.checkpoint)
    if run.metrics["checkpoint"].get("sha256") != examined.sha256:
        raise DataError(
            f"The report in {run.report} is of other weights than those in {run.checkpoint}. Evaluate these: "
            f"{evaluate_command(run.folder)}"
        )
    (folder / PLOTS).mkdir(parents=True)
    _copy_files(folder, run, examined)
    _write_settings(folder, run, examined, target)
    card = render_card(run, name=target.name, where=target.repo_id, plots=PLOTS)
    (folder / "README.md").write_text(card, encoding="utf-8")


def _copy_files(folder: Path, run: Run, examined: Examination) -> None:
    index = [run.checkpoint / SHARDS] if len(examined.weights) > 1 else []
    novelty = [run.checkpoint / NOVELTY] if "novelty" in run.sidecar else []
    for file in (*examined.weights, *index, *novelty, run.checkpoint / "preprocessor_config.json"):
        shutil.copyfile(file, folder / file.name)
    for name in run.plots:
        shutil.copyfile(run.report / name, folder / PLOTS / name)


def _write_settings(folder: Path, run: Run, examined: Examination, target: Target) -> None:
    names = {str(index): NAMES[label] for index, label in enumerate(examined.outputs.by_index)}
    data = run.config["data"]
    public = {"base": run.base, "data": data if is_repo_id(data) and not Path(data).is_dir() else folder_name(data)}
    contents = {
        "config.json": run.model | {"id2label": names, "label2id": {name: int(index) for index, name in names.items()}},
        "train_config.json": run.config | public,
        "metrics.json": run.metrics | {"checkpoint": run.metrics["checkpoint"] | {"name": target.repo_id}},
    }
    for name, content in contents.items():
        (folder / name).write_text(json.dumps(without_paths(content), indent=2) + "\n", encoding="utf-8")
    write_sidecar(folder, without_paths(run.sidecar))


def _check_no_paths(folder: Path, run: Run) -> None:
    """The last look: no text may say where this machine keeps its files."""
    places = {Path.home(), run.folder.resolve()} - {Path("/")}
    for file in [*folder.glob("*.json"), *folder.glob("*.md")]:
        text = file.read_text(encoding="utf-8")
        for place in places:
            if re.search(rf"(?<![\w.]){re.escape(str(place))}(?![\w-])", text):
                raise DataError(
                    f"Nothing is published: {file.name} would tell everyone the path {place} of this machine. Take it "
                    "out of the run's files, then publish again."
                )


def _swap_in(partial: Path, folder: Path) -> None:
    replaced = folder.with_name(REPLACED)
    shutil.rmtree(replaced, ignore_errors=True)
    if folder.exists():
        folder.rename(replaced)
    partial.rename(folder)
    shutil.rmtree(replaced, ignore_errors=True)


@contextlib.contextmanager
def _named(run: Run) -> Iterator[None]:
    """What does not load is said of the run, not of the folder in which it was tried."""
    try:
        yield
    except CheckpointError as exc:
        text = str(exc).replace(str(run.folder / PARTIAL), str(run.checkpoint))
        raise CheckpointError(f"Nothing is published. {text}") from exc
