"""The IPTC's words for how a picture came to be (NewsCodes, `digitalsourcetype`), and what they mean for a reader.

The property exists in XMP (`Iptc4xmpExt:DigitalSourceType`) and in C2PA actions; the older IPTC-IIM has none.
"""

from __future__ import annotations

from virtus.provenance.findings import ANYONE, Finding, Kind, clean

CAPTURED = "A claim to be a photo is no proof of one."
PARTLY = "Which parts, and whether a face is among them, is not said."
WORDS = {
    "digitalCapture": ("taken by a camera", CAPTURED),
    "computationalCapture": ("taken by a camera, merged from several shots", CAPTURED),
    "negativeFilm": ("scanned from a film negative", CAPTURED),
    "positiveFilm": ("scanned from a slide", CAPTURED),
    "print": ("scanned from a print", CAPTURED),
    "screenCapture": ("captured from a screen", "What the screen showed is not said."),
    "virtualRecording": ("recorded from a virtual event or game", "What was shown is not said."),
    "minorHumanEdits": ("edited a little by a person", PARTLY),
    "humanEdits": ("edited by a person, without generative AI", PARTLY),
    "algorithmicallyEnhanced": ("altered by an algorithm, without generative AI", PARTLY),
    "composite": ("put together of several parts, some perhaps made by AI", PARTLY),
    "compositeCapture": ("put together of several parts, all from cameras", PARTLY),
    "compositeSynthetic": ("put together of several parts, at least one of them made by a program", PARTLY),
    "compositeWithTrainedAlgorithmicMedia": ("edited with generative AI, or with parts made by it", PARTLY),
    "trainedAlgorithmicMedia": ("made by generative AI", "Most programs that write this made the whole picture."),
    "trainedAlgorithmicData": ("made by generative AI as data", "It is meant for data that are no picture themselves."),
    "algorithmicMedia": ("made by an algorithm that learnt from no examples", "For example a fractal."),
    "dataDrivenMedia": ("drawn from data", "For example a chart."),
    "digitalArt": ("drawn by a person with a program", PARTLY),
    "digitalCreation": ("made by a person with programs, without generative AI", PARTLY),
    "softwareImage": ("made by software", "The word is out of use: it does not say which kind of software."),
    "empty": ("begun as an empty picture", "What was put into it is not said here."),
}


def source_finding(value: str, where: str, *, by: str = "", caution: str = ANYONE) -> Finding:
    """What a `DigitalSourceType` says.

    Args:
        value: the address of the word, or the word alone.
        where: where it stands.
        by: the program that is named with it.
        caution: how far it can be believed, put at the end of the meaning.
    """
    code = clean(value.rstrip("/").rpartition("/")[2].rpartition(":")[2], 60)
    words, more = WORDS.get(code, ("a kind that is not known here", "See the IPTC's list of digital source types."))
    made_by = f", by {clean(by, 60)}" if by else ""
    meaning = f"Declared by who wrote the file. {more} {caution}"
    return Finding(Kind.SOURCE_TYPE, f"Digital source type: {words} ({code}){made_by}", where, meaning)
