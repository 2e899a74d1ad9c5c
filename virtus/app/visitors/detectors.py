"""The detectors of a running app: loaded in the background or when asked for, and few of them kept."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.checkpoints import (
    CHECKPOINTS,
    FAST,
    WORDS,
    bundled_names,
    find_checkpoint,
    load_checkpoint,
    locate,
    resolve_name,
    retired_words,
    split_label,
)
from virtus.errors import CheckpointError, UnclearLabelsError, VirtusError
from virtus.judging import MAX_COMPARED
from virtus.results import CheckpointInfo

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NUM_KEPT = MAX_COMPARED  # fewer would be loaded anew for every photo that so many are compared on
# Narrower than the Hub's own rule: no part begins with a dot, so that none is a step up in the server's folders.
HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*(@\w[\w./-]*)?", re.ASCII)


class Detectors:
    """Hands out detectors by the names that visitors give. Safe for several threads.

    Args:
        default: name of the checkpoint that the server was started with.
        others: names that it offers beside it. Default and others alone may be local folders.
        device: for all of them.
        precision: for all of them.
    """

    def __init__(
        self, default: str = "auto", others: Sequence[str] = (), *, device: str = "auto", precision: str = "auto"
    ):
        self.default = resolve_name(default)
        self.others = [name for name in dict.fromkeys(map(resolve_name, others)) if name != self.default]
        self._asked_default = default
        self._device, self._precision = device, precision
        self._kept: OrderedDict[str, Detector] = OrderedDict()
        self._found: dict[str, CheckpointInfo] = {}
        self._is_loading, self._failure = False, None
        self._lock = threading.Lock()
        self._loading = threading.Lock()  # held for a whole download: who has a loaded detector does not wait for it

    @property
    def names(self) -> list[str]:
        """What the app offers, the default first."""
        published = [name for name in CHECKPOINTS if name not in WORDS]
        return list(dict.fromkeys([self.default, *self.others, *bundled_names(), *published]))

    @property
    def preselected(self) -> list[str]:
        """Those that are compared unless others are chosen: what the server was started with, and the fast one."""
        return list(dict.fromkeys([self.default, *self.others, FAST]))[:MAX_COMPARED]

    @property
    def is_loading(self) -> bool:
        """Whether the default checkpoint is examined, and `load_all` has still to load it."""
        return self._is_loading

    @property
    def failure(self) -> str | None:
        """Why `load_all` could not load the default checkpoint."""
        return self._failure

    @property
    def folder(self) -> Path:
        """Of the default checkpoint.

        Raises:
            CheckpointError: if there is none.
        """
        return locate(self._asked_default)[1]

    def examine_all(self) -> None:
        """Look at the default and the others before they are loaded: whoever starts the server hears what is wrong.

        Raises:
            CheckpointError: if one of them cannot be found or trusted.
            InputError: for a device that there is not.
        """
        for name in (self.default, *self.others):
            self.info(name)
        if self._device not in ("auto", "cpu"):
            from virtus.models import resolve_device  # it loads torch

            resolve_device(self._device)
        self._is_loading = True

    def load_all(self) -> Iterator[str]:
        """Load the default, then the others; what came of each, in a sentence.

        Not all is known before: whether the weights are numbers, and whether what lies beside them can be used.
        """
        for name in (self.default, *self.others):
            try:
                self.get(name)
                yield f"{name} is loaded."
            except VirtusError as exc:
                self._failure = self._failure or (str(exc) if name == self.default else None)
                yield str(exc)
            finally:
                self._is_loading = False

    def info(self, name: str = "auto") -> CheckpointInfo:
        """Who judges by that name. Nothing is loaded to find out; what is not here yet is fetched.

        Raises:
            CheckpointError: if visitors may not ask for it, or it cannot be found or trusted.
        """
        name = self._allowed(str(name or "auto").strip())
        if (detector := self._find(name)) is not None:
            return detector.checkpoint.info
        if name in self._found:
            return self._found[name]
        info = find_checkpoint(self._asked(name)).info
        if name in (self.default, *self.others):  # visitors may name any number
            self._found[name] = info
        return info

    def unclear_labels(self, name: str) -> tuple[str, ...]:
        """What a checkpoint's outputs are called, if one has to say which is fake before it judges; else none."""
        try:
            self.info(name)
        except UnclearLabelsError as exc:
            return exc.labels
        except VirtusError:  # said where the checkpoint is asked for a verdict
            pass
        return ()

    def get(self, name: str = "auto") -> Detector:
        """A detector by the name of its checkpoint; `auto` is the default.

        Raises:
            CheckpointError: if visitors may not ask for it, or it cannot be loaded.
        """
        name = self._allowed(str(name or "auto").strip())
        if (detector := self._find(name)) is not None:
            return detector
        with self._loading:
            return self._find(name) or self._load(name)

    def _allowed(self, name: str) -> str:
        """The name, if visitors may ask for it. It may end in the label of its fake class: see `load_checkpoint`."""
        if name in ("auto", self.default):
            return self.default
        plain, _ = split_label(name)
        if plain in CHECKPOINTS or {name, plain} & {self.default, *self.others}:
            return name
        if not HUB_ID.fullmatch(plain) or Path(plain).exists():
            raise CheckpointError(
                retired_words(plain)
                or f"{name!r} is not the name of a checkpoint. Choose one of the list, or a Hub id owner/name."
            )
        return name

    def _find(self, name: str) -> Detector | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def _asked(self, name: str) -> str:
        return self._asked_default if name == self.default else name

    def _load(self, name: str) -> Detector:
        from virtus.checkpoints import Detector

        detector = Detector(load_checkpoint(self._asked(name), device=self._device, precision=self._precision))
        with self._lock:
            self._kept[name] = detector
            if len(self._kept) > NUM_KEPT:
                self._kept.popitem(last=False)
        return detector
