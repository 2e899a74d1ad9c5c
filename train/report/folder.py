"""The report folder of one checkpoint: metrics.json, report.md, report.html and the pictures in them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from train.report import plots
from train.report.assessment import RUN_FACTS, Assessment
from train.report.document import Paragraph, Picture, ReportDocument, Section, Table
from train.report.evaluate import JudgedSample
from train.report.intervals import THRESHOLD
from train.report.robustness import STEPS, Robustness
from train.report.wording import (
    ERROR,
    INTERVALS,
    MEANINGS,
    POOLED,
    ROBUSTNESS,
    TITLES,
    difference_cell,
    figure_cell,
    or_dash,
    say_calibration,
)
from virtus.checkpoints import Checkpoint
from virtus.drawing import TONES
from virtus.errors import DataError
from virtus.faces import cut_out
from virtus.media import load_image
from virtus.results import Outcome

NUM_TILES = 24
NUM_COLUMNS = 6
TILE, CAPTION = 168, 40  # px
INK, QUIET = "#1a1a1a", TONES[Outcome.NO_FACE].colour


def make_folder(folder: Path) -> Path:
    """The folder, made where it is missing: before hours of judging, not after.

    Raises:
        DataError: if there cannot be one.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise DataError(f"The folder {folder} cannot be made ({exc.strerror}). Give another one.") from exc
    return folder


def write_report(folder: Path, assessment: Assessment, checkpoint: Checkpoint, *, data: str) -> None:
    """Write the whole folder.

    Args:
        checkpoint: that judged; the contact sheet shows faces as it got them.
        data: as it was given; pictures are named by their paths below it.
    """
    text = json.dumps(assessment.to_json(), indent=1, allow_nan=False)
    (folder / "metrics.json").write_text(text + "\n", encoding="utf-8")
    sections = [_figures(assessment), _outcomes(assessment)]
    if assessment.judgements["all"].judged.any():
        sections += [_answers(folder, assessment), _roc(folder, assessment), _calibration(folder, assessment)]
        sections += [_robustness(folder, assessment)] if assessment.robustness else []
        sections += [_most_wrong(folder, assessment, checkpoint, data)]
    info = assessment.checkpoint
    ReportDocument(
        f"{info.name}: how good it is",
        f"{subtitle(assessment)} Revision {info.revision}, sha256 {info.sha256[:12]}.",
        [*sections, Section("Cost", [cost_table([("", assessment)])])],
    ).save(folder, "report")


def subtitle(assessment: Assessment) -> str:
    """What was judged."""
    count = len(assessment.judged)
    what = f"{count} held-out pictures of {assessment.data} (part: {assessment.part})"
    return f"{what}, their faces found, cropped and judged as users get it."


def cost_table(rows: Sequence[tuple[str, Assessment]]) -> Table:
    """What training and judging took, a row for each checkpoint by its label."""
    head = ["", "training, h", "device", "judging, s", "device"]
    cells = []
    for label, assessment in rows:
        run, judging = assessment.run or {}, assessment.evaluation
        training = [f"{v:.3g}" if isinstance(v, float) else str(v or "-") for v in map(run.get, RUN_FACTS)]
        cells.append([label or assessment.checkpoint.name, *training, f"{judging['seconds']:.0f}", judging["device"]])
    caption = "Training is from the run.json beside the checkpoint, where there is one."
    return Table(head, cells, caption)


def _figures(assessment: Assessment) -> Section:
    rows = []
    for name, judgements in assessment.shown_judgements.items():
        cells = [figure_cell(figure, assessment.figures[name][figure]) for figure in TITLES]
        rows.append([name, str(len(judgements)), str(judgements.num_groups), *cells])
    table = Table(["source", "pictures", "groups", *TITLES.values()], rows, MEANINGS)
    warning = [Paragraph(POOLED)] if assessment.pooled else []
    return Section("Figures", [*warning, table, Paragraph(INTERVALS)])


def _outcomes(assessment: Assessment) -> Section:
    rows = [
        [f"{name}, {label}", *(str(counts[outcome]) for outcome in Outcome)]
        for name in assessment.shown_sets
        for label, counts in assessment.outcomes(name).items()
    ]
    caption = "How many pictures came out how, by what they are. Those real, fake and inconclusive are the judged ones."
    table = Table(["truth", *(outcome.replace("_", " ") for outcome in Outcome)], rows, caption)
    nothing = [Paragraph("No picture was judged: there is nothing else to report.")]
    return Section("Outcomes", [table, *([] if assessment.judgements["all"].judged.any() else nothing)])


def _answers(folder: Path, assessment: Assessment) -> Section:
    plots.draw_confusion(assessment.shown_judgements, folder / "confusion.png")
    reports = {name: rows for name in assessment.shown_sets if (rows := assessment.class_rows(name))}
    plots.draw_classification_report(reports, folder / "classification_report.png")
    keys = ("precision", "recall", "f1-score")
    rows = [
        [f"{name}, {label}", *(or_dash(row[key]) for key in keys), f"{row['support']:.0f}"]
        for name, classes in reports.items()
        for label, row in classes.items()
    ]
    table = Table(["class", "precision", "recall", "F1", "pictures"], rows, "The same as a table.")
    return Section(
        "Answers at p = 0.5",
        [
            Picture("confusion.png", "Confusion matrices", "Confusion: counts, and shares of the truth's row."),
            Picture("classification_report.png", "Classification reports", "Precision, recall and F1 of each class."),
            table,
        ],
    )


def _roc(folder: Path, assessment: Assessment) -> Section:
    curves = {
        name: (assessment.judgements[name], auc)
        for name in assessment.shown_sets
        if (auc := assessment.figures[name]["auc"]).value is not None
    }
    if not curves:
        return Section("ROC", [Paragraph("A ROC curve needs judged pictures of both classes.")])
    plots.draw_roc({"ROC": curves}, folder / "roc.png")
    caption = "A curve for each source. The mark on it is p = 0.5."
    return Section("ROC", [Picture("roc.png", f"ROC curves of {', '.join(curves)}", caption)])


def _calibration(folder: Path, assessment: Assessment) -> Section:
    errors = {name: assessment.figures[name]["ece"] for name in assessment.shown_sets}
    plots.draw_reliability(assessment.shown_judgements, errors, folder / "reliability.png")
    calibration = assessment.checkpoint.calibration
    thresholds = (calibration.real_below, calibration.fake_above) if calibration else (THRESHOLD, THRESHOLD)
    plots.draw_histogram(assessment.shown_judgements, thresholds, folder / "histogram.png")
    points = (
        "Points on the dotted line are well calibrated; below it, p is too high, above it too low. Points and bars "
        "grow with the share of the pictures in the bin."
    )
    spread = "p of real (filled) and fake (hatched) pictures; dotted, the checkpoint's thresholds."
    return Section(
        "Calibration",
        [
            Paragraph(say_calibration(calibration)),
            Paragraph(ERROR),
            Picture("reliability.png", "Reliability diagrams: share of fakes against p", points),
            Picture("histogram.png", "Histograms of p for reals and fakes", spread),
        ],
    )


def _robustness(folder: Path, assessment: Assessment) -> Section:
    names = assessment.shown_sets
    shown = [row for row in assessment.robustness if row.source in names]
    plots.draw_robustness(shown, folder / "robustness.png")
    by_place = {(row.source, row.change, row.level): row for row in shown}
    head = ["change", *(f"{name} {figure}" for name in names for figure in ("AUC", "accuracy"))]
    rows = [["as is", *(cell for name in names for cell in _robust_cells(by_place[name, "none", None], None))]]
    for change, level in STEPS:
        pairs = [(by_place[name, change.name, level], by_place[name, "none", None]) for name in names]
        label = f"{change.title}, {change.unit} {level:g}"
        rows.append([label, *(cell for changed, clean in pairs for cell in _robust_cells(changed, clean))])
    picture = Picture("robustness.png", "Accuracy and AUC under changes of the picture", ROBUSTNESS)
    table = Table(head, rows, "Beside or below each figure, its difference to that of the pictures as they are.")
    return Section("Robustness", [picture, table])


def _robust_cells(row: Robustness, clean: Robustness | None) -> list[str | tuple[str, str]]:
    return [difference_cell(getattr(row, name), getattr(clean, name, None)) for name in ("auc", "accuracy")]


def _most_wrong(folder: Path, assessment: Assessment, checkpoint: Checkpoint, data: str) -> Section:
    wrong = most_wrong(assessment.judged)
    if not wrong:
        return Section("Most wrong", [Paragraph("p is on the right side of 0.5 for every judged picture.")])
    draw_contact_sheet(checkpoint, wrong, folder / "most_wrong.png")
    rows = [[_below(picture, data), str(picture.sample.label), f"{picture.report.p_fake:.4f}"] for picture in wrong]
    caption = (
        "The judged faces whose p is farthest from the truth, as the model got them. Blue frames: real, orange ones: "
        "fake. These are pictures of the data set: mind its licence before you hand the report on."
    )
    return Section(
        "Most wrong",
        [
            Picture("most_wrong.png", f"The {len(wrong)} most wrong faces, listed below", caption),
            Table(["file", "truth", "p of fake"], rows, "The same pictures, in the same order."),
        ],
    )


def _below(judged: JudgedSample, data: str) -> str:
    """The file's path in the data set; of one that was made of a clip or a row of a table, its group and name."""
    path, root = judged.sample.path, Path(data)
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else f"{judged.sample.group}: {path.name}"


def most_wrong(judged: Sequence[JudgedSample], *, count: int = NUM_TILES) -> list[JudgedSample]:
    """The judged pictures whose p is farthest from the truth, farthest first; none that is on the right side of 0.5."""
    wrong = [picture for picture in judged if picture.error > 0.5]
    return sorted(wrong, key=lambda picture: picture.error, reverse=True)[:count]


def draw_contact_sheet(checkpoint: Checkpoint, judged: Sequence[JudgedSample], file: Path) -> None:
    """Each picture's largest face as the model got it, framed in the truth's colour; below, truth, p and source."""
    columns = min(NUM_COLUMNS, len(judged))
    size = (columns * TILE, math.ceil(len(judged) / columns) * (TILE + CAPTION))
    sheet, font = Image.new("RGB", size, "white"), ImageFont.load_default(14)
    draw = ImageDraw.Draw(sheet)
    for index, picture in enumerate(judged):
        left, top = index % columns * TILE, index // columns * (TILE + CAPTION)
        crop = cut_out(load_image(picture.sample.path), picture.judged_faces[0], margin=checkpoint.margin)
        seen = checkpoint.transform.resize(crop.image).resize((TILE - 12, TILE - 12), Image.Resampling.LANCZOS)
        sheet.paste(seen, (left + 6, top + 6))
        frame = (left + 3, top + 3, left + TILE - 4, top + TILE - 4)
        draw.rectangle(frame, outline=TONES[Outcome(picture.sample.label)].colour, width=3)
        draw.text(
            (left + 5, top + TILE), f"is {picture.sample.label}, p {picture.report.p_fake:.3f}", fill=INK, font=font
        )
        draw.text((left + 5, top + TILE + 17), _fitting(picture.sample.source, font), fill=QUIET, font=font)
    sheet.save(file)


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """The end of a text that is too long: that is where folder names differ."""
    while font.getlength(text) > TILE - 10:
        text = "…" + text[2:]
    return text
