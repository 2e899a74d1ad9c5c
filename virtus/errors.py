"""Every error that Virtus raises on purpose. Their texts are written for the person who reads them."""

from __future__ import annotations

from collections.abc import Sequence


class VirtusError(Exception):
    """Base of all errors raised on purpose: the text says what is wrong and what to do."""


class InputError(VirtusError):
    """Something that the user handed in cannot be used."""


class ImageError(InputError):
    """A source that is not a usable picture."""


class VideoError(InputError):
    """A source that is not a usable clip."""


class DataError(InputError):
    """A folder of labelled pictures that cannot be used."""


class CheckpointError(VirtusError):
    """A checkpoint that cannot be found, fetched or trusted."""


class UnclearLabelsError(CheckpointError):
    """A checkpoint of one or two outputs that could judge if somebody said which is fake.

    Attributes:
        labels: what its outputs are called.
    """

    def __init__(self, text: str, labels: Sequence[str]):
        super().__init__(text)
        self.labels = tuple(labels)
