"""A written report as one HTML page: nothing is fetched, nothing runs, and every text from outside is escaped."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from html import escape
from string import Template

from PIL import Image

from virtus.bundled import ASSETS
from virtus.drawing import annotate_faces, data_uri, fit_display, jpeg_uri, overlay_crop
from virtus.html import caption, chip, in_words, measured_line, not_judged, panel, verdict_html
from virtus.provenance import Provenance
from virtus.reports.record import Record
from virtus.results import CheckpointInfo, Explanation, FaceReport, ImageReport

CROP_SIDE = 384  # px of faces and their maps
NOT_TESTED = '<p class="trust poor">Not tested: whether this map is better than chance is not known.</p>'

Row = tuple[str, str]
"""A name and a value in words, not escaped."""


def write_page(record: Record, report: ImageReport, photo: Image.Image | None, provenance: Provenance) -> str:
    """The page.

    Args:
        report: that the record is of, with the crops still in it.
        photo: that was judged; None where it could not be read.
        provenance: what its file says of its own origin.
    """
    template = Template((ASSETS / "templates" / "report.html").read_text(encoding="utf-8"))
    json = record.to_json().encode()
    return template.substitute(
        title=escape(record.photo.name),
        style=_style(),
        time=escape(record.time),
        when=escape(_when(record.time)),
        judge=f"<strong>{escape(report.checkpoint.name)}</strong>",
        summary=_summary(report),
        photo=_photo(report, photo) if photo else "",
        faces="\n".join(_face(report, index, record) for index in range(len(report.faces))),
        provenance=panel(provenance, unfolded=True),
        facts="\n".join(_facts(title, rows) for title, rows in _all_facts(record, report)),
        command=escape(f"python -m virtus replay report.json {shlex.quote(record.photo.name)}"),
        json="data:application/json;base64," + base64.b64encode(json).decode(),
    )


def _style() -> str:
    return "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in STYLE_SHEETS)


def _when(time: str) -> str:
    return f"{datetime.fromisoformat(time):%Y-%m-%d at %H:%M:%S} UTC"


def _summary(report: ImageReport) -> str:
    """Why nothing was judged, or what several faces come to; one face says it itself."""
    if not report.outcome.judged:
        return not_judged(report)
    if len(report.faces) == 1:
        return ""
    return f'<p class="whole">The photo: {chip(report.outcome)} the gravest of its faces.</p>'


def _photo(report: ImageReport, photo: Image.Image) -> str:
    return (
        f'<figure class="photo"><img src="{jpeg_uri(annotate_faces(photo, report))}" alt="{escape(in_words(report))}">'
        "<figcaption>The photo, scaled down, with the faces that were found.</figcaption></figure>"
    )


def _face(report: ImageReport, index: int, record: Record) -> str:
    face = report.faces[index]
    maps = "".join(_map(face, one, record.settings.opacity) for one in face.explanations)
    return f"""<section class="face" aria-label="Face {index + 1}">
{verdict_html(report, index)}
{_small_changes(face)}
{f'<div class="maps">{_crop(face)}{maps}</div>' if maps else _no_maps(face, record)}
</section>"""


def _no_maps(face: FaceReport, record: Record) -> str:
    most = record.settings.num_mapped
    if not face.outcome.judged or most is None:
        return ""
    which = "largest face" if most == 1 else f"{most} largest faces"
    return f'<p class="fine">Maps were drawn of the {which} only.</p>'


def _small_changes(face: FaceReport) -> str:
    if face.stability is None:
        return ""
    rows = [
        ("unchanged", f"{face.p_fake:.3f}"),
        *((name, f"{p:.3f}") for name, p in face.stability.p_by_change.items()),
    ]
    return f'<div class="changes"><h3>Probability of fake under small harmless changes</h3>{_table(rows)}</div>'


def _crop(face: FaceReport) -> str:
    shown = fit_display(face.crop.image, side=CROP_SIDE)
    return (
        f'<figure><img src="{data_uri(shown)}" alt="The face as the model was shown it">'
        '<figcaption class="caption"><p><strong>The face</strong> as the model was shown it.</p></figcaption></figure>'
    )


def _map(face: FaceReport, one: Explanation, opacity: float) -> str:
    small = replace(face.crop, image=fit_display(face.crop.image, side=CROP_SIDE))
    drawn = overlay_crop(small, one.heatmap, opacity=opacity, signed=one.signed)
    said = measured_line(one.faithfulness) if one.faithfulness else NOT_TESTED
    return (
        f'<figure><img src="{data_uri(drawn)}" alt="Map of {escape(one.method)} over the face">'
        f"<figcaption>{said}{caption(one)}</figcaption></figure>"
    )


def _facts(title: str, rows: Iterable[Row]) -> str:
    return f'<section class="panel facts"><h2>{escape(title)}</h2>{_table(rows)}</section>'


def _table(rows: Iterable[Row]) -> str:
    lines = (f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>' for name, value in rows)
    return f"<table><tbody>{''.join(lines)}</tbody></table>"


def _all_facts(record: Record, report: ImageReport) -> Iterator[tuple[str, list[Row]]]:
    yield "The photo", _photo_rows(record)
    yield "The checkpoint", _checkpoint_rows(report.checkpoint)
    yield "The settings", _settings_rows(record)
    yield "The machine", [("Device", record.device), ("Precision", record.precision), *record.versions.items()]


def _photo_rows(record: Record) -> list[Row]:
    photo = record.photo
    size = f"{photo.size[0]} x {photo.size[1]} pixels" if photo.size else "not readable"
    return [
        ("File", photo.name),
        ("sha256 of the file", photo.sha256),
        ("Bytes", f"{photo.num_bytes:,}"),
        ("Upright size", size),
    ]


def _checkpoint_rows(info: CheckpointInfo) -> list[Row]:
    named = [("Name", info.name), ("Revision", info.revision), ("sha256 of the weights", info.sha256)]
    used = info.calibration.used() if info.calibration else {}
    calibration = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in used.items())
    return [*named, ("Calibration", calibration or "none: the threshold is 0.5")]


def _settings_rows(record: Record) -> list[Row]:
    asked = record.settings
    options = [f"{method}: {_pairs(said)}" for method, said in (asked.options or {}).items() if said]
    return [
        ("Expected share of fakes", f"{asked.prior:g}"),
        ("Judged", "the whole image, as it is" if asked.whole else "each face that was found"),
        ("Judged again under small changes", "yes" if asked.stability else "no"),
        ("Maps", ", ".join(asked.methods) or "none"),
        ("Class explained", asked.target),
        *([("Options", "; ".join(options))] if options else []),
    ]


def _pairs(said: dict) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items())


STYLE_SHEETS = (
    "styles/results.css",
    "styles/maps.css",
    "styles/provenance.css",
    "templates/report.css",
)  # all but the last are the app's
