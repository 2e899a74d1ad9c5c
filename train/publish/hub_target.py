"""Where on the Hugging Face Hub a run goes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from virtus.errors import InputError


@dataclass(frozen=True)
class Target:
    """A run and its repository.

    Attributes:
        run: the folder that `fit` made.
        repo_id: `owner/name` on the Hub.
        private: only its owner may see it.
        message: of the commit; None for one that names the recipe.

    Raises:
        InputError: for a name that the Hub cannot have.
    """

    run: Path
    repo_id: str
    private: bool = False
    message: str | None = None

    def __post_init__(self) -> None:
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id

        try:
            validate_repo_id(self.repo_id)
        except HFValidationError as exc:
            raise InputError(f"--repo takes owner/name, as on the Hub. {exc}") from exc
        if self.repo_id.count("/") != 1:
            raise InputError(f"--repo takes owner/name, such as you/virtus-tiny, not {self.repo_id!r}.")
        if self.message is not None and not self.message.strip():
            raise InputError("--message is empty: say what is new, or leave it out.")

    @property
    def owner(self) -> str:
        return self.repo_id.split("/")[0]

    @property
    def name(self) -> str:
        return self.repo_id.split("/")[1]

    @property
    def folder(self) -> Path:
        """What is sent; see `train.publish.hub_folder`."""
        return self.run / "hub"

    @property
    def command(self) -> str:
        """What publishes it, to be typed again."""
        words = ["python", "-m", "train", "publish", str(self.run), "--repo", self.repo_id]
        words += ["--private"] * self.private + (["--message", self.message] if self.message else [])
        return shlex.join(words)

    @property
    def advice(self) -> str:
        """What stands at the end of every failure."""
        alone = ["hf", "upload", self.repo_id, str(self.folder), ".", *(["--private"] * self.private)]
        return (
            f"Nothing is lost: {self.folder} is whole, and large files that arrived are not sent again. "
            f"Repeat it by: {self.command} (or send the folder alone by: {shlex.join(alone)})"
        )
