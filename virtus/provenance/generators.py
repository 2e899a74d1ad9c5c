"""How a picture came to be: the word for it that a file declares, and the traces that image generators, or the
programs around them, leave in its texts.

Prompts are never handed on, only that there is one: they are private, and name people. Of paths, only the file's own
name is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from virtus.provenance.fields import NamedText
from virtus.provenance.findings import ANYONE, Finding, Kind, base_name, clean

MEANS = f"Image generators write this. {ANYONE} Programs that only enlarge or edit a photo can write it too."
PROMPT_MEANS = "A prompt may be inside; it is private and not shown."
NAMES = re.compile(
    r"\b(NovelAI|Midjourney|Stable ?Diffusion|DALL[-·. ]?E|ChatGPT|gpt-image|ComfyUI|InvokeAI|Adobe Firefly|"
    r"Made with Google AI|Google Gemini|Imagen \d|Leonardo\.Ai|Ideogram|Draw Things|Fooocus|Easy Diffusion|SwarmUI|"
    r"DiffusionBee|Bing Image Creator|Microsoft Designer|Made with AI|AI[- ]generated|Imagined with AI|"
    r"Black Forest Labs|Grok Imagine|Recraft|Krea)\b",
    re.IGNORECASE,
)
NOT_NAMED = "not named"
LABELS = {"1": "made by AI", "2": "possibly made by AI", "3": "suspected to be made by AI"}  # GB 45438-2025

CAPTURED = "A claim to be a photo is no proof of one."
PARTLY = "Which parts, and whether a face is among them, is not said."
SOURCE_WORDS = {
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
"""The IPTC's words (NewsCodes, `digitalsourcetype`), and what they mean for a reader. They stand in XMP
(`Iptc4xmpExt:DigitalSourceType`) and in C2PA actions; the older IPTC-IIM has none."""
NO_KNOWN_WORD = ("a kind that is not known here", "See the IPTC's list of digital source types.")


@dataclass(frozen=True)
class Trace:
    """A program, the model it names (empty if none), and whether a prompt may be in the same text."""

    program: str
    model: str = ""
    prompt: bool = True


def generator_findings(texts: Iterable[NamedText]) -> Iterator[Finding]:
    """One finding for each program that wrote some of the texts, from the text that names its model, if one does."""
    traced = [(trace, text) for text in texts if (trace := find_trace(text)) is not None]
    traced.sort(key=lambda pair: not pair[0].model)
    seen = {NOT_NAMED} if any(trace.program != NOT_NAMED for trace, _ in traced) else set()
    for trace, text in traced:
        if trace.program not in seen:
            seen.add(trace.program)
            yield _finding(trace, text)


def find_trace(text: NamedText) -> Trace | None:
    """The generator that wrote this text, if it is one that is known."""
    return next(filter(None, (look(text) for look in LOOKS)), None)


def label_findings(texts: Iterable[NamedText]) -> Iterator[Finding]:
    """The label that China asks of generators and platforms (GB 45438-2025): JSON under the keyword `AIGC`."""
    for text in texts:
        content = _json(text.text) if "Label" in text.text else None
        content = content.get("AIGC", content) if isinstance(content, dict) else None
        if not isinstance(content, dict):
            continue
        label = LABELS.get(str(content.get("Label")))
        if label and (text.keyword == "AIGC" or "ContentProducer" in content):
            means = f"The label that China's standard GB 45438 asks of AI services. {ANYONE}"
            yield Finding(Kind.SOURCE_TYPE, f"AIGC label: {label}", text.location, means)


def source_finding(value: str, where: str, *, by: str = "", caution: str = ANYONE) -> Finding:
    """What a `DigitalSourceType` says.

    Args:
        value: the address of the word, or the word alone.
        where: where it stands.
        by: the program that is named with it.
        caution: how far it can be believed, put at the end of the meaning.
    """
    code = clean(value.rstrip("/").rpartition("/")[2].rpartition(":")[2], 60)
    words, more = SOURCE_WORDS.get(code, NO_KNOWN_WORD)
    made_by = f", by {clean(by, 60)}" if by else ""
    meaning = f"Declared by who wrote the file. {more} {caution}"
    return Finding(Kind.SOURCE_TYPE, f"Digital source type: {words} ({code}){made_by}", where, meaning)


def named_generator(name: str, where: str) -> Finding | None:
    """A finding if this name of a program or camera is that of a generator."""
    return Finding(Kind.GENERATOR, f"Image generator: {clean(name)}", where, MEANS) if generator_in(name) else None


def generator_in(text: str) -> str:
    """The name of a generator, taken out of a text that may name people too; empty if there is none."""
    name = NAMES.search(text[:1000])
    return name[0] if name else ""


def _finding(trace: Trace, text: NamedText) -> Finding:
    model = f", model {clean(base_name(trace.model), 80)}" if trace.model else ""
    means = f"{MEANS} {PROMPT_MEANS}" if trace.prompt else MEANS
    return Finding(Kind.GENERATOR, f"Image generator: {trace.program}{model}", text.location, means)


def _swarm(text: NamedText) -> Trace | None:
    if "sui_image_params" not in text.text:
        return None
    return Trace("SwarmUI", _at(_json(text.text), "sui_image_params", "model"))


def _fooocus(text: NamedText) -> Trace | None:
    if text.keyword == "fooocus_scheme" or ('"base_model"' in text.text and "Fooocus" in text.text):
        return Trace("Fooocus", _at(_json(text.text), "base_model"))
    return None


def _comfy(text: NamedText) -> Trace | None:
    if text.keyword == "prompt" and '"class_type"' in text.text:
        return Trace("ComfyUI", _comfy_model(_json(text.text)))
    return Trace("ComfyUI") if text.keyword == "workflow" and '"nodes"' in text.text else None


def _comfy_model(graph: object) -> str:
    nodes = graph.values() if isinstance(graph, dict) else ()
    named = (_at(node, "inputs", name) for node in nodes for name in ("ckpt_name", "unet_name"))
    return next(filter(None, named), "")


def _automatic(text: NamedText) -> Trace | None:
    """A1111 and those that write as it does: prompt, then a last line `Steps: 20, Sampler: Euler a, ..., Model: x`."""
    settings = text.text.rpartition("Steps: ")[2]
    if settings == text.text or "Sampler: " not in settings:
        return None
    model = re.search(r"\bModel: ([^,\n]{1,200})", settings)
    return Trace("AUTOMATIC1111, or a program that writes as it does", model[1] if model else "")


def _invoke(text: NamedText) -> Trace | None:
    if text.keyword not in ("invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata", "Dream"):
        return None
    content = _json(text.text)
    named = _at(content, "model", "name") or _at(content, "model", "model_name") or _at(content, "model_weights")
    return Trace("InvokeAI", named)


def _novel(text: NamedText) -> Trace | None:
    if text.keyword == "Source" and text.text.startswith(("NovelAI Diffusion", "Stable Diffusion")):
        return Trace("NovelAI", text.text, prompt=False)
    if text.keyword == "Software" and text.text.startswith("NovelAI"):
        return Trace("NovelAI", prompt=False)
    written = text.keyword == "Comment" and '"sampler"' in text.text and '"uc"' in text.text
    return Trace("NovelAI") if written else None


def _midjourney(text: NamedText) -> Trace | None:
    is_description = text.keyword in ("Description", "description")
    return Trace("Midjourney") if is_description and re.search(r"\bJob ID: [0-9a-f]{8}-", text.text) else None


def _any_parameters(text: NamedText) -> Trace | None:
    """Keywords that only generators use, with content that no other look knows."""
    return Trace(NOT_NAMED) if text.keyword in ("parameters", "prompt", "workflow") else None


LOOKS: tuple[Callable[[NamedText], Trace | None], ...] = (
    _swarm, _fooocus, _comfy, _automatic, _invoke, _novel, _midjourney, _any_parameters,
)  # fmt: skip


def _json(text: str) -> object:
    try:
        return json.loads(text.strip("\0 \n"))
    except (ValueError, RecursionError):  # a hostile text nests a million lists
        return None


def _at(content: object, *keys: str) -> str:
    """The text at this place of a JSON structure, empty if there is none."""
    for key in keys:
        content = content.get(key) if isinstance(content, dict) else None
    return content if isinstance(content, str) else ""
