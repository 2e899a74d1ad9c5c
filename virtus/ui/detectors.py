"""The detectors of a running app: loaded when asked for, and few of them kept."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from virtus.checkpoints import CHECKPOINTS, load_checkpoint, locate, resolve_name
from virtus.comparison import MAX_COMPARED
from virtus.detector import Detector
from virtus.errors import CheckpointError

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
        self._lock = threading.Lock()
        self._loading = threading.Lock()  # held for a whole download: who has a loaded detector does not wait for it

    @property
    def names(self) -> list[str]:
        """What the app offers, the default first."""
        return list(dict.fromkeys([self.default, *self.others, *CHECKPOINTS]))

    @property
    def folder(self) -> Path:
        """Of the default checkpoint.

        Raises:
            CheckpointError: if there is none.
        """
        return locate(self._asked_default)[1]

    def get(self, name: str = "auto") -> Detector:
        """A detector by the name of its checkpoint; `auto` is the default.

        Raises:
            CheckpointError: if visitors may not ask for it, or it cannot be loaded.
        """
        name = self.allowed(str(name or "auto").strip())
        if (detector := self._find(name)) is not None:
            return detector
        with self._loading:
            return self._find(name) or self._load(name)

    def allowed(self, name: str) -> str:
        """The name, if visitors may ask for it. Nothing is loaded.

        Raises:
            CheckpointError: if they may not.
        """
        if name in ("auto", self.default):
            return self.default
        if name in CHECKPOINTS or name in self.others:
            return name
        if not HUB_ID.fullmatch(name) or Path(name).exists():
            raise CheckpointError(
                f"{name!r} is not the name of a checkpoint. Choose one of the list, or a Hub id owner/name."
            )
        return name

    def _find(self, name: str) -> Detector | None:
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def _load(self, name: str) -> Detector:
        asked = self._asked_default if name == self.default else name
        detector = Detector(load_checkpoint(asked, device=self._device, precision=self._precision))
        with self._lock:
            self._kept[name] = detector
            if len(self._kept) > NUM_KEPT:
                self._kept.popitem(last=False)
        return detector
