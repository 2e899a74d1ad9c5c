"""The few properties of an XMP packet that tell where a picture comes from."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from xml.parsers import expat

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
IPTC_EXTENSION = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
DIGITAL_SOURCE_TYPE = f"{IPTC_EXTENSION} DigitalSourceType"
AI_SYSTEM = f"{IPTC_EXTENSION} AISystemUsed"
AI_SYSTEM_VERSION = f"{IPTC_EXTENSION} AISystemVersionUsed"
AI_PROMPT = f"{IPTC_EXTENSION} AIPromptInformation"
CREATOR_TOOL = "http://ns.adobe.com/xap/1.0/ CreatorTool"
CREDIT = "http://ns.adobe.com/photoshop/1.0/ Credit"
MAKE = "http://ns.adobe.com/tiff/1.0/ Make"
MODEL = "http://ns.adobe.com/tiff/1.0/ Model"
USER_COMMENT = "http://ns.adobe.com/exif/1.0/ UserComment"
DESCRIPTION = "http://purl.org/dc/elements/1.1/ description"
CREDENTIALS_AT = "http://purl.org/dc/terms/ provenance"
AI_LABEL = "http://www.tc260.org.cn/ns/AIGC/1.0/ AIGC"
WANTED = frozenset(
    (
        *(DIGITAL_SOURCE_TYPE, AI_SYSTEM, AI_SYSTEM_VERSION, AI_PROMPT, CREATOR_TOOL, CREDIT),
        *(MAKE, MODEL, USER_COMMENT, DESCRIPTION, CREDENTIALS_AT, AI_LABEL),
    )
)

PROPERTY_DEPTH = 2  # elements above a property: rdf:RDF and rdf:Description


def read_properties(packet: bytes) -> dict[str, str]:
    """The wanted properties, by "namespace name"; of a damaged packet, those before the damage.

    Only the picture's own are taken: not those of other pictures that a packet describes in passing. A document type
    ends the reading, so that there are no entities to expand.
    """
    reader = _Reader()
    with contextlib.suppress(expat.ExpatError, ValueError, LookupError, _DocumentTypeError):
        reader.parser.Parse(packet.rstrip(b"\0"), True)
    return {name: "".join(texts).strip() for name, texts in reader.found.items()}


class _DocumentTypeError(Exception):
    """XMP has none."""


class _Reader:
    """expat's callbacks: elements are names in a stack, text is kept under a wanted one."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = {}
        self.open: list[str] = []  # from rdf:RDF on
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _refuse(self, *_declaration: object) -> None:
        raise _DocumentTypeError

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        if not self.open and name != f"{RDF} RDF":
            return
        self.open.append(name)
        if len(self.open) == PROPERTY_DEPTH and name == f"{RDF} Description":
            self.found |= {key: [value] for key, value in attributes.items() if key in WANTED}
        elif len(self.open) == PROPERTY_DEPTH + 1 and self.open[1] == f"{RDF} Description" and name in WANTED:
            self.found.setdefault(name, []).append(attributes.get(f"{RDF} resource", ""))

    def _end(self, _name: str) -> None:
        if self.open:
            self.open.pop()

    def _text(self, text: str) -> None:
        if len(self.open) > PROPERTY_DEPTH and (name := self.open[PROPERTY_DEPTH]) in self.found:
            self.found[name].append(text)
