"""What the bytes of a picture say of its origin, read offline and apart from the verdict: from the file's fields to
findings, and those about cameras and programs by name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from virtus.provenance.credentials import credentials_findings, remote_finding
from virtus.provenance.fields import Fields, read_fields
from virtus.provenance.findings import ANYONE, MAX_FINDINGS, Finding, Kind, Provenance, base_name, clean
from virtus.provenance.generators import (
    MEANS,
    PROMPT_MEANS,
    find_trace,
    generator_findings,
    generator_in,
    label_findings,
    named_generator,
    source_finding,
)

TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d)", re.ASCII)
LONGEST_CAMERA = 60  # characters; what is longer is no name of a maker or model

CAMERA_MEANS = f"The file says that this camera took it. {ANYONE} Pictures made by a program can carry it too."
SOFTWARE_MEANS = (
    "The program that wrote the file or its description: the camera's own, an editor, a converter. To have passed "
    f"through an editor does not mean that a face was altered. {ANYONE}"
)


def read_provenance(data: bytes) -> Provenance:
    """Read what a picture's own file says of its origin. The pixels are not looked at, and nothing is fetched.

    Args:
        data: the bytes of the file as it came, of JPEG, PNG, WebP, TIFF, GIF, HEIC or AVIF.

    Returns:
        Cameras, programs, generators, source types and content credentials that the file names. Empty, which means
        "unknown", for a file that names none, and for one that cannot be read: this never raises for what is in it.
    """
    findings = dict.fromkeys(_findings(data, read_fields(data)))
    return Provenance(tuple(findings)[:MAX_FINDINGS])


def _findings(data: bytes, fields: Fields) -> Iterator[Finding]:
    """The best founded first: signed, then declared, then written in passing."""
    if fields.credentials:
        yield from credentials_findings(data, fields.mime)
    if remote := remote_finding(fields.properties.get("dcterms:provenance", "")):
        yield remote
    if source := fields.properties.get("Iptc4xmpExt:DigitalSourceType"):
        yield source_finding(source, "XMP Iptc4xmpExt:DigitalSourceType")
    yield from label_findings(fields.texts)
    yield from generator_findings(fields.texts)
    yield from _declared_generators(fields)
    yield from _program_findings(fields)
    yield from _camera_findings(fields)


def _declared_generators(fields: Fields) -> Iterator[Finding]:
    """What the properties that the IPTC made for it in 2025, and a credit line, say of a generator."""
    if system := fields.properties.get("Iptc4xmpExt:AISystemUsed"):
        name = f"{system} {fields.properties.get('Iptc4xmpExt:AISystemVersionUsed', '')}"
        yield Finding(Kind.GENERATOR, f"Image generator: {clean(name)}", "XMP Iptc4xmpExt:AISystemUsed", MEANS)
    if fields.properties.get("Iptc4xmpExt:AIPromptInformation"):
        where = "XMP Iptc4xmpExt:AIPromptInformation"
        yield Finding(Kind.GENERATOR, "Image generator: a prompt for one", where, f"{MEANS} {PROMPT_MEANS}")
    if credit := named_generator(generator_in(fields.properties.get("photoshop:Credit", "")), "XMP photoshop:Credit"):
        yield credit


def _program_findings(fields: Fields) -> Iterator[Finding]:
    """Programs by name, each once: generators that are known as such, and others, which say little."""
    seen = set()
    for name, where in _programs(fields):
        if name and name not in seen:
            seen.add(name)
            yield named_generator(name, where) or Finding(Kind.SOFTWARE, f"Software: {name}", where, SOFTWARE_MEANS)


def _programs(fields: Fields) -> Iterator[tuple[str, str]]:
    for text in fields.texts:
        if text.keyword == "Software" and find_trace(text) is None:
            yield _program_name(text.text), text.location
    yield _program_name(fields.properties.get("xmp:CreatorTool", "")), "XMP xmp:CreatorTool"


def _program_name(text: str) -> str:
    """A program's name; of a path, the last part, for the rest may name the owner."""
    is_path = "\\" in text or text.startswith(("/", "file:"))
    return clean(base_name(text) if is_path else text)


def _camera_findings(fields: Fields) -> Iterator[Finding]:
    """The camera that the EXIF names, or else the XMP; none where generators keep something else in its place."""
    where = "EXIF Make, Model"
    camera = _camera(fields.tag("Make"), fields.tag("Model"))
    if camera and (time := TIME.match(fields.tag("DateTimeOriginal"))):
        camera = f"{camera}, {'-'.join(time.group(1, 2, 3))} {time[4]} by its clock"
        where = f"{where}, DateTimeOriginal"
    if not camera:
        where = "XMP tiff:Make, tiff:Model"
        camera = _camera(fields.properties.get("tiff:Make", ""), fields.properties.get("tiff:Model", ""))
    if camera:
        yield named_generator(camera, where) or Finding(Kind.CAMERA, f"Camera: {camera}", where, CAMERA_MEANS)


def _camera(make: str, model: str) -> str:
    make, model = clean(make), clean(model)
    if max(len(make), len(model)) > LONGEST_CAMERA or "{" in make + model:  # ComfyUI keeps its graph there
        return ""
    return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
