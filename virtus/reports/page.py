"""A written report as one HTML page: `assets/templates/written-report.html`, filled."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from PIL import Image

from virtus.drawing import annotate_faces, fit_display, jpeg_uri, overlay_crop
from virtus.html import face_verdict, map_caption, not_judged, photo_words, provenance_panel, render_page, trust_line
from virtus.provenance import Provenance
from virtus.reports.record import ReportRecord, ReportSettings
from virtus.results import Explanation, FaceCrop, FaceReport, ImageReport

CROP_SIDE = 384  # px of faces and their maps
UNCALIBRATED = "none: the threshold is 0.5"

Row = tuple[str, str]
"""A name and a value in words."""


def write_page(record: ReportRecord, report: ImageReport, photo: Image.Image | None, provenance: Provenance) -> str:
    """The page.

    Args:
        report: that the record is of, with the crops still in it.
        photo: that was judged; None where it could not be read.
        provenance: what its file says of its own origin.
    """
    json = base64.b64encode(record.to_json().encode()).decode()
    return render_page(
        "written-report.html",
        record=record,
        report=report,
        when=f"{datetime.fromisoformat(record.time):%Y-%m-%d at %H:%M:%S} UTC",
        not_judged=not_judged(report),
        photo_uri=jpeg_uri(annotate_faces(photo, report)) if photo else None,
        photo_words=photo_words(report),
        faces=[_face(report, index, record.settings) for index in range(len(report.faces))],
        num_mapped=record.settings.num_mapped,
        provenance=provenance_panel(provenance, unfolded=True),
        facts=_facts(record, report),
        command=f"python -m virtus replay report.json {shlex.quote(record.photo.name)}",
        json_uri=f"data:application/json;base64,{json}",
    )


def _face(report: ImageReport, index: int, settings: ReportSettings) -> dict[str, Any]:
    """What the template shows of a face."""
    face = report.faces[index]
    crop = face.crop and replace(face.crop, image=fit_display(face.crop.image, side=CROP_SIDE))
    return {
        "verdict": face_verdict(report, index),
        "judged": face.outcome.judged,
        "changes": _change_rows(face),
        "crop": crop and crop.image,
        "maps": [_map(crop, explanation, settings) for explanation in face.explanations] if crop else [],
    }


def _map(crop: FaceCrop, explanation: Explanation, settings: ReportSettings) -> dict[str, Any]:
    look: dict[str, Any] = {"opacity": settings.opacity, "contours": settings.contours, "signed": explanation.signed}
    return {
        "method": explanation.method,
        "overlay": overlay_crop(crop, explanation.heatmap, **look),
        "trust": explanation.faithfulness and trust_line(explanation.faithfulness),
        "caption": map_caption(explanation),
    }


def _change_rows(face: FaceReport) -> list[Row]:
    """p under each small change; nothing where the face was judged but once."""
    if face.stability is None:
        return []
    return [(name, f"{p:.3f}") for name, p in {"unchanged": face.p_fake, **face.stability.p_by_change}.items()]


def _facts(record: ReportRecord, report: ImageReport) -> dict[str, list[Row]]:
    """What is set down of photo, checkpoint, settings and machine, by heading."""
    photo, info = record.photo, report.checkpoint
    used = info.calibration.used() if info.calibration else {}
    return {
        "The photo": [
            ("File", photo.name),
            ("sha256 of the file", photo.sha256),
            ("Bytes", f"{photo.num_bytes:,}"),
            ("Upright size", f"{photo.size[0]} x {photo.size[1]} pixels" if photo.size else "not readable"),
        ],
        "The checkpoint": [
            ("Name", info.name),
            ("Revision", info.revision),
            ("sha256 of the weights", info.sha256),
            ("Calibration", _pairs({name: _in_figures(value) for name, value in used.items()}) or UNCALIBRATED),
        ],
        "The settings": _settings_rows(record, report),
        "The machine": [("Device", record.device), ("Precision", record.precision), *record.versions.items()],
    }


def _settings_rows(record: ReportRecord, report: ImageReport) -> list[Row]:
    settings = record.settings
    whole = settings.whole or any(face.whole_image for face in report.faces)
    options = "; ".join(f"{method}: {_pairs(own)}" for method, own in (settings.options or {}).items() if own)
    return [
        ("Expected share of fakes", f"{settings.prior:g}"),
        ("Judged", "the whole image, as it is" if whole else "each face that was found"),
        ("Judged again under small changes", "yes" if settings.stability else "no"),
        ("Maps", ", ".join(settings.methods) or "none"),
        ("Class explained", settings.target),
        *([("Options", options)] if options else []),
    ]


def _in_figures(value: float | Sequence[float]) -> str:
    return " ".join(map(_in_figures, value)) or "none" if isinstance(value, Sequence) else f"{value:.4f}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in values.items())
