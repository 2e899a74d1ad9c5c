"""The programs and cameras that a file names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from virtus.provenance import exif, xmp
from virtus.provenance.fields import Text
from virtus.provenance.findings import ANYONE, Finding, Kind, base_name, clean
from virtus.provenance.generators import MEANS, PROMPT_MEANS, find_trace, generator_in, named_generator

TIME = re.compile(r"(\d{4}):(\d\d):(\d\d) (\d\d:\d\d)", re.ASCII)
LONGEST_CAMERA = 60  # characters; what is longer is no name of a maker or model

CAMERA_MEANS = f"The file says that this camera took it. {ANYONE} Pictures made by a program can carry it too."
SOFTWARE_MEANS = (
    "The program that wrote the file or its description: the camera's own, an editor, a converter. To have passed "
    f"through an editor does not mean that a face was altered. {ANYONE}"
)


def program_findings(texts: Iterable[Text], properties: Mapping[str, str]) -> Iterator[Finding]:
    """Programs by name, each once: generators that are known as such, and others, which say little."""
    if system := properties.get(xmp.AI_SYSTEM):
        name = f"{system} {properties.get(xmp.AI_SYSTEM_VERSION, '')}"
        yield Finding(Kind.GENERATOR, f"Image generator: {clean(name)}", "XMP Iptc4xmpExt:AISystemUsed", MEANS)
    if properties.get(xmp.AI_PROMPT):
        where = "XMP Iptc4xmpExt:AIPromptInformation"
        yield Finding(Kind.GENERATOR, "Image generator: a prompt for one", where, f"{MEANS} {PROMPT_MEANS}")
    if credit := named_generator(generator_in(properties.get(xmp.CREDIT, "")), "XMP photoshop:Credit"):
        yield credit
    seen = set()
    for name, where in _programs(texts, properties):
        if name and name not in seen:
            seen.add(name)
            yield named_generator(name, where) or Finding(Kind.SOFTWARE, f"Software: {name}", where, SOFTWARE_MEANS)


def _programs(texts: Iterable[Text], properties: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for text in texts:
        if text.keyword == "Software" and find_trace(text) is None:
            where = text.where if text.where.endswith(text.keyword) else f"{text.where} “{text.keyword}”"
            yield _name(text.text), where
    yield _name(properties.get(xmp.CREATOR_TOOL, "")), "XMP xmp:CreatorTool"


def _name(text: str) -> str:
    """A program's name; of a path, the last part, for the rest may name the owner."""
    is_path = "\\" in text or text.startswith(("/", "file:"))
    return clean(base_name(text) if is_path else text)


def camera_findings(tags: Mapping[int, bytes], properties: Mapping[str, str]) -> Iterator[Finding]:
    """The camera that the EXIF names, or else the XMP; none where generators keep something else in its place."""
    where = "EXIF Make, Model"
    camera = _camera(exif.text_of(tags, exif.MAKE), exif.text_of(tags, exif.MODEL))
    if camera and (time := TIME.match(exif.text_of(tags, exif.TAKEN))):
        camera, where = (
            f"{camera}, {'-'.join(time.group(1, 2, 3))} {time[4]} by its clock",
            f"{where}, DateTimeOriginal",
        )
    if not camera:
        where = "XMP tiff:Make, tiff:Model"
        camera = _camera(properties.get(xmp.MAKE, ""), properties.get(xmp.MODEL, ""))
    if camera:
        yield named_generator(camera, where) or Finding(Kind.CAMERA, f"Camera: {camera}", where, CAMERA_MEANS)


def _camera(make: str, model: str) -> str:
    make, model = clean(make), clean(model)
    if max(len(make), len(model)) > LONGEST_CAMERA or "{" in make + model:  # ComfyUI keeps its graph there
        return ""
    return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()
