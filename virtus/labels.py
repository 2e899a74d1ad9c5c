"""Names that people give the two classes, in label lists and as folders: by name, never by index."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

from virtus.errors import CheckpointError, UnclearLabelsError
from virtus.results import Label

WORDS = {
    Label.REAL: frozenset(
        "real reals realism genuine authentic original originals pristine unaltered unedited unmanipulated unmodified "
        "untampered untouched bonafide human humans hum nature natural".split()
    ),
    Label.FAKE: frozenset(
        "fake fakes deepfake deepfakes ai aigc aigenerated artificial generated synthetic synthesized synthesised "
        "synthesis manipulated manipulation forged forgery forgeries altered tampered doctored photoshopped edited "
        "spoof spoofs spoofed swap swaps swapped swapping faceswap faceswaps reenacted reenactment face2face "
        "faceshifter neuraltextures lipsync gan gans biggan cyclegan progan stargan stylegan diffusion composite "
        "composites composited spliced splicing inpaint inpainted inpainting morph morphs morphed morphing cgi "
        "midjourney dalle sdxl flux".split()
    ),
}
NEUTRAL = frozenset(
    "image images img imgs photo photos photograph photographs picture pictures pic pics face faces facial portrait "
    "portraits video videos frame frames person people computer intelligence content media made by is class label "
    "art artwork data dataset set sets detected digitally latent stable sd model models identity expression "
    "attribute".split()
)
SUBJECTS = frozenset("human humans nature natural".split())
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
DIGITS = "0123456789"
MAX_NAMED = 4  # folders in a sentence
NEGATIONS = frozenset(("no", "not", "non"))
# Two words that are one. A photoreal picture is often none of the real ones: that word stays unknown.
JOINED = re.compile(
    r"(deep)[\W_]+(?=fake)|(bona)[\W_]+(?=fide)|(photo)[\W_]+(?=real)|(dall)[\W_]+(?=e\b)|(lip)[\W_]+(?=sync)"
    r"|(neural)[\W_]+(?=textures)"
)
NO_OUTPUT = "none"  # what `fake_label` says of a single logit that stands for real
NAMED = "Name them by id2label in its config.json"
MEND = f"{NAMED}, or say which one is fake: --fake-label NAME_OR_INDEX, or NAME#INDEX."


@dataclass(frozen=True)
class ClassOutputs:
    """Which of a classifier's outputs speak for each class, by their index in the logits.

    p of fake is the share of the fake outputs in the softmax over all. A class without an output counts as one whose
    logit is always 0: that is how a single logit with a sigmoid is read.

    Attributes:
        fake_label: index of the output that somebody called fake, or `none`, where its own name does not say it.
    """

    real: tuple[int, ...]
    fake: tuple[int, ...]
    fake_label: str | None = None

    @property
    def by_index(self) -> tuple[Label, ...]:
        """The class of each output, in their order."""
        labels = dict.fromkeys(self.real, Label.REAL) | dict.fromkeys(self.fake, Label.FAKE)
        return tuple(labels[index] for index in sorted(labels))


def label_from_name(name: str) -> Label | None:
    """The class that a name stands for, None where it names neither, or both.

    Every word of it must be known, so that neither "real-looking fake" nor "unrealistic" is read as real. `no`, `not`
    and `non` turn what follows. Case and punctuation do not count; words may be joined, as in "FakeImage".
    """
    by_capitals = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return _label_of(by_capitals.lower()) or _label_of(name.lower())


def _label_of(text: str) -> Label | None:
    named, is_negated = set(), False
    for word in re.findall(r"[^\W_]+", JOINED.sub(lambda found: found[found.lastindex or 0], text)):
        label = _class_of(word)
        if label:
            named.add(_other(label) if is_negated else label)
        elif word in NEGATIONS and not is_negated:
            is_negated = True
        elif word.rstrip(DIGITS) not in {"", *NEUTRAL}:
            return None
    return named.pop() if len(named) == 1 else None


def _class_of(word: str) -> Label | None:
    """That of "fake", of "fakeimages", and of "fake2"."""
    stems = {word, word.rstrip(DIGITS), *(word.removesuffix(end) for end in NEUTRAL if word.endswith(end))}
    return _first(label for label, words in WORDS.items() if words & stems)


def _other(label: Label) -> Label:
    return Label.REAL if label is Label.FAKE else Label.FAKE


def label_names(config: Mapping[str, Any]) -> list[str]:
    """The names of a checkpoint's outputs, from its config.json, in their order; LABEL_0, LABEL_1, ... without any.

    Raises:
        CheckpointError: where they are not numbered from 0 on.
    """
    given = config.get("id2label") or config.get("label_names")
    if isinstance(given, dict):
        wanted = [str(index) for index in range(len(given))]
        if sorted(given) != sorted(wanted):
            raise CheckpointError(f"Its labels have the indices {_listed(given)}, not {_listed(wanted)}.")
        given = [given[index] for index in wanted]
    if not isinstance(given, list):
        count = config.get("num_labels", config.get("num_classes"))
        return [f"LABEL_{index}" for index in range(count if type(count) is int and 0 < count < 1000 else 2)]
    described = config.get("label_descriptions")
    described = described if isinstance(described, dict) else {}
    names = [str(name) for name in given]
    return [name if label_from_name(name) else str(described.get(name, name)) for name in names]


def read_outputs(names: Sequence[str], fake_label: str | None = None) -> ClassOutputs:
    """Which outputs speak for each class, by their names.

    Args:
        fake_label: name or index of a fake output, where the names do not say it; of a single one, which has a sigmoid,
            also `none`: it stands for real. Of two outputs the other one is then real.

    Raises:
        CheckpointError: where that leaves an output that is neither, or a class without one.
    """
    labels = [label_from_name(name) for name in names]
    chosen = None
    if fake_label is not None:
        chosen = _chosen(names, fake_label)
        chosen = None if _is_said(labels, names, chosen) else chosen
        labels = [label or _completed(index, chosen, len(names)) for index, label in enumerate(labels)]
    _check(names, labels)
    real, fake = (tuple(index for index, label in enumerate(labels) if label is one) for one in Label)
    return ClassOutputs(real, fake, chosen)


def _chosen(names: Sequence[str], fake_label: str) -> str:
    """The index that a name or index stands for, as a text; `none` for no output."""
    if len(names) == 1 and fake_label.strip().lower() == NO_OUTPUT:
        return NO_OUTPUT
    indices = [str(index) for index in range(len(names))]
    index = dict(zip(map(str.lower, names), indices, strict=True)).get(fake_label.strip().lower(), fake_label.strip())
    if index not in indices:
        raise CheckpointError(f"It has no label {fake_label!r}: its labels are {_quoted(names)}.")
    return index


def _is_said(labels: Sequence[Label | None], names: Sequence[str], chosen: str) -> bool:
    """Whether all names say it themselves.

    Raises:
        CheckpointError: if they say otherwise.
    """
    index = 0 if chosen == NO_OUTPUT else int(chosen)
    if labels[index] is (Label.FAKE if chosen == NO_OUTPUT else Label.REAL):
        raise CheckpointError(
            f"Its label {names[index]!r} says {labels[index]}, so it cannot be taken for the other class."
        )
    return None not in labels


def _completed(index: int, chosen: str | None, count: int) -> Label | None:
    if chosen == str(index):
        return Label.FAKE
    return Label.REAL if chosen is not None and (count == 2 or chosen == NO_OUTPUT) else None


def _check(names: Sequence[str], labels: Sequence[Label | None]) -> None:
    if len(names) == 1:
        if labels[0] is None:
            raise UnclearLabelsError(
                f"Its one label {names[0]!r} does not say whether a high value means fake or real. Name it by id2label "
                "in its config.json, or say --fake-label 0 where it means fake, --fake-label none where it means real.",
                names,
            )
        return
    unclear = [name for name, label in zip(names, labels, strict=True) if label is None]
    mend = MEND if len(unclear) == 1 or len(names) == len(unclear) == 2 else f"{NAMED}."  # one word tells no more
    if unclear and len(unclear) < len(names) and len(names) > 2:
        raise CheckpointError(f"Its label {unclear[0]!r} names neither real nor fake, and is not guessed. {mend}")
    if unclear or len(set(labels)) < 2:
        text = "do not say which is real and which is fake, and their order is not trusted"
        error = partial(UnclearLabelsError, labels=names) if unclear and len(names) == 2 else CheckpointError
        raise error(f"Its labels {_quoted(names)} {text}. {mend}")


def _quoted(names: Sequence[str]) -> str:
    return _listed([repr(name) for name in names])


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return " and ".join(filter(None, (", ".join(first), last)))


def label_from_folder(name: str) -> Label | None:
    """The class that a folder's name stands for, also beside numbers and the name of a split: 0_real, training_fake."""
    return label_from_name(name) or label_from_name(_others(name, SPLITS))


def label_from_folders(relative: PurePath) -> Label | None:
    """The class of a file in a labelled tree: that of its `class_folder`."""
    at = class_folder(relative)
    return None if at is None else label_from_folder(relative.parts[at])


def class_folder(relative: PurePath) -> int | None:
    """Which of the folders above a file says its class, counted from the top: the nearest whose name is that of one.
    One above it may be named so too, as the source stylegan in stylegan/Real. What may as well be what is seen gives
    way: fake/nature and fake/human are fake."""
    parts = relative.parts[:-1]
    named = [at for at in reversed(range(len(parts))) if label_from_folder(parts[at])]
    sure = [at for at in named if SUBJECTS.isdisjoint(_words(parts[at]))]
    return next(iter(sure or named), None)


def split_from_folder(name: str) -> str | None:
    """The split that a folder's name stands for, also beside that of a class: "train" of training_fake."""
    splits = {SPLITS[word] for word in _words(name) if word in SPLITS}
    rest = _others(name, {*SPLITS, *NEUTRAL})
    return splits.pop() if len(splits) == 1 and (not rest or label_from_name(rest)) else None


def unlabelled_in_words(places: Iterable[PurePath]) -> str:
    """What to do about pictures in folders that name no class; nothing where there are none.

    Args:
        places: of the pictures, from the folder on that was given.
    """
    folders = Counter(place.parent.as_posix() for place in places)
    if not folders:
        return ""
    named = ", ".join("the folder itself" if name == "." else name for name, _ in folders.most_common(MAX_NAMED))
    more = f" and {len(folders) - MAX_NAMED:,} more" if len(folders) > MAX_NAMED else ""
    return (
        f"{folders.total():,} lie where no folder says real or fake, and are left out: in {named}{more}. Name such a "
        "folder by its class, as in real and fake or 0_real and 1_fake: numbers alone say nothing."
    )


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", name.lower())


def _others(name: str, words: Collection[str]) -> str:
    return " ".join(word for word in _words(name) if word not in words)


def _first(labels: Iterable[Label | None]) -> Label | None:
    return next((label for label in labels if label is not None), None)
