"""Fetching a checkpoint's folder from the Hugging Face Hub, and saying plainly when that cannot be done."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from virtus.errors import CheckpointError

REPO_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
# Only what a checkpoint needs. Weights in other forms are not fetched: they would not be loaded.
FILES = ("config.json", "preprocessor_config.json", "virtus.json", "*.safetensors", "model.safetensors.index.json")
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack")


def is_repo_id(name: str) -> bool:
    """Whether a name has the form `owner/name` or `owner/name@revision`."""
    return REPO_ID.fullmatch(name) is not None


def fetch(name: str) -> tuple[Path, str]:
    """The local folder of a repository and the commit it is of, fetched now if the Hub has something newer.

    If the Hub cannot be reached, what was fetched before is taken. Files go to the Hub's own cache; what was fetched of a
    file before a connection broke is kept there, and the next try goes on from it. Progress is shown on stderr.

    Raises:
        CheckpointError: unknown, gated, without safetensors, out of reach and never fetched, broken off.
    """
    from huggingface_hub import HfApi, snapshot_download

    repo_id, _, revision = name.partition("@")
    try:
        with _translated(name):
            found = HfApi().model_info(repo_id, revision=revision or None)
    except _Unreachable as exc:
        if (cached := _cached(repo_id, revision)) is not None:
            return cached
        raise CheckpointError(_out_of_reach(name, exc)) from exc
    _check_weights(name, [file.rfilename for file in found.siblings or ()])
    try:
        with _translated(name):
            return Path(snapshot_download(repo_id, revision=found.sha, allow_patterns=list(FILES))), found.sha
    except _Unreachable as exc:
        raise CheckpointError(
            f"Fetching {name} from the Hugging Face Hub broke off ({exc}). What came so far is kept: try again to go on. "
            f"{_WORKS_WITHOUT}"
        ) from exc


def fetched_before(name: str) -> tuple[Path, str]:
    """The same, from the Hub's own cache alone.

    Raises:
        CheckpointError: if it was never fetched.
    """
    repo_id, _, revision = name.partition("@")
    if (cached := _cached(repo_id, revision)) is None:
        raise CheckpointError(
            f"{name} was never fetched, and `auto` does not use the network. "
            f"Fetch it once by its name: python -m virtus doctor {name}"
        )
    return cached


_WORKS_WITHOUT = "Without the Hub, the bundled checkpoint (--model virtus-tiny) and local folders work."


class _Unreachable(Exception):
    """The Hub gave no usable answer; the text is a short cause."""


@contextlib.contextmanager
def _translated(name: str) -> Iterator[None]:
    """The Hub client's errors as ours, or as `_Unreachable`."""
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx

    try:
        yield
    except errors.GatedRepoError as exc:
        raise CheckpointError(
            f"{name} is gated: ask for access on its page on the Hub, then log in with `hf auth login`."
        ) from exc
    except errors.RevisionNotFoundError as exc:
        raise CheckpointError(f"{name}: there is no such revision on the Hub.") from exc
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as exc:
        raise CheckpointError(
            f"There is no repository {name} on the Hugging Face Hub, or it is private (`hf auth login`). "
            "For a local folder give its path, such as ./my-checkpoint."
        ) from exc
    except errors.HfHubHTTPError as exc:
        raise _Unreachable(f"it answered with status {exc.response.status_code}") from exc
    except httpx.TimeoutException as exc:
        raise _Unreachable("no answer in time") from exc
    except (httpx.HTTPError, OSError, RuntimeError) as exc:  # RuntimeError: hf-xet, and httpx on a closed client
        raise _Unreachable(str(exc).splitlines()[0] if str(exc) else type(exc).__name__) from exc


def _check_weights(name: str, files: list[str]) -> None:
    top = [file for file in files if "/" not in file]
    if any(file.endswith(".safetensors") for file in top):
        return
    pickles = [file for file in top if file.endswith(PICKLES)]
    if pickles:
        raise CheckpointError(
            f"{name} has only pickled weights ({pickles[0]}), which can run code when they are read. "
            "Ask its author for safetensors, or convert them on a machine that you can lose."
        )
    raise CheckpointError(f"{name} has no weights: no *.safetensors among its {len(files)} files.")


def _cached(repo_id: str, revision: str) -> tuple[Path, str] | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(repo_id, revision=revision or None, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return folder, folder.name


def _out_of_reach(name: str, cause: Exception) -> str:
    return f"{name} is fetched from the Hugging Face Hub, which cannot be reached ({cause}). {_WORKS_WITHOUT}"
