"""What the bytes of a picture say of its origin, read offline and apart from the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from virtus.provenance import xmp
from virtus.provenance.credentials import credentials_findings, remote_finding
from virtus.provenance.exif import CREDENTIALS, XMP_PACKET, exif_texts, read_tags
from virtus.provenance.fields import Parts, Text, read_parts
from virtus.provenance.findings import MAX_FINDINGS, Finding, Kind, Provenance
from virtus.provenance.generators import generator_findings, label_findings
from virtus.provenance.programs import camera_findings, program_findings
from virtus.provenance.source_types import source_finding

__all__ = ["Finding", "Kind", "Provenance", "read_provenance"]


def read_provenance(data: bytes) -> Provenance:
    """Read what a picture's own file says of its origin. The pixels are not looked at, and nothing is fetched.

    Args:
        data: the bytes of the file as it came, of JPEG, PNG, WebP, TIFF, GIF, HEIC or AVIF.

    Returns:
        Cameras, programs, generators, source types and content credentials that the file names. Empty, which means
        "unknown", for a file that names none, and for one that cannot be read: this never raises for what is in it.
    """
    parts = read_parts(data)
    tags = read_tags(parts.exif)
    packets = [*parts.xmp, *([tags[XMP_PACKET]] if XMP_PACKET in tags else [])]
    properties: dict[str, str] = {}
    for packet in packets:
        properties = xmp.read_properties(packet) | properties
    found = dict.fromkeys(_findings(data, parts, tags, properties))
    return Provenance(tuple(found)[:MAX_FINDINGS])


def _findings(data: bytes, parts: Parts, tags: Mapping[int, bytes], properties: Mapping[str, str]) -> Iterator[Finding]:
    """The best founded first: signed, then declared, then written in passing."""
    if parts.credentials or (parts.mime == "image/tiff" and CREDENTIALS in tags):
        yield from credentials_findings(data, parts.mime)
    if remote := remote_finding(properties.get(xmp.CREDENTIALS_AT, "")):
        yield remote
    if source := properties.get(xmp.DIGITAL_SOURCE_TYPE):
        yield source_finding(source, "XMP Iptc4xmpExt:DigitalSourceType")
    texts = [*parts.texts, *exif_texts(tags), *_xmp_texts(properties)]
    yield from label_findings(texts)
    yield from generator_findings(texts)
    yield from program_findings(texts, properties)
    yield from camera_findings(tags, properties)


def _xmp_texts(properties: Mapping[str, str]) -> Iterator[Text]:
    for name, where, keyword in (
        (xmp.AI_LABEL, "XMP TC260:AIGC", "AIGC"),
        (xmp.USER_COMMENT, "XMP exif:UserComment", "UserComment"),
        (xmp.DESCRIPTION, "XMP dc:description", "description"),
    ):
        if name in properties:
            yield Text(where, keyword, properties[name])
