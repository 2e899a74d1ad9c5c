"""The Hugging Face Hub: fetching a checkpoint's folder, and saying plainly when that cannot be done.

The one file that touches private names of huggingface_hub.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from virtus.checkpoints.sidecar import SIDECAR
from virtus.errors import CheckpointError
from virtus.models import PICKLES

REPO_ID = re.compile(r"\w[\w.-]*/[\w.-]+(@[\w./-]+)?")
COMMIT = re.compile(r"[0-9a-f]{40}")
CONFIGS = ("config.json", "preprocessor_config.json", SIDECAR, "novelty.safetensors", "README.md")
INDEX = "model.safetensors.index.json"
SHARD = re.compile(r"model-\d+-of-(\d+)\.safetensors")
CONNECT_TIMEOUT_S = 3.0  # for each of the Hub's addresses; for an answer, HF_HUB_ETAG_TIMEOUT (by default 10 s)
WORKS_WITHOUT = "Without the Hub, the bundled checkpoints (auto) and local folders work."


def is_repo_id(name: str) -> bool:
    """Whether a name has the form `owner/name` or `owner/name@revision`."""
    return REPO_ID.fullmatch(name) is not None


def fetch(name: str, *, check: Callable[[Path], object] = lambda _: None) -> tuple[Path, str]:
    """The local folder of a repository and the commit it is of, fetched now if the Hub has something newer.

    If the Hub cannot be reached, what was fetched before is taken. A commit asked for by its hash and fetched before is
    taken without asking the Hub. Files go to the Hub's own cache. After a broken connection its client goes on in the
    middle of the file; where that fails too, the files that came whole are kept. Progress is shown on stderr.

    Args:
        check: called with the folder when it holds the small files, before the weights are fetched; it may raise.

    Raises:
        CheckpointError: unknown, gated, without safetensors, out of reach and never fetched, broken off.
    """
    repo_id, _, revision = name.partition("@")
    if COMMIT.fullmatch(revision) and (cached := _cached(repo_id, revision)):
        return cached
    try:
        with _translated(name):
            commit, files = ask_hub(repo_id, revision)
    except _Unreachable as exc:
        if cached := _cached(repo_id, revision):
            return cached
        raise CheckpointError(
            f"{name} is fetched from the Hugging Face Hub, which cannot be reached ({exc}). {WORKS_WITHOUT}"
        ) from exc
    weights = _choose_weights(name, files)
    folder = _download(name, [file for file in CONFIGS if file in files], commit)
    check(folder)
    _download(name, weights, commit)
    # Asked for by its branch, a file leaves the note which commit that is: last, so that it points to a whole folder.
    _download(name, ["config.json"], revision or "main")
    return folder, commit


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


class _Unreachable(Exception):
    """The Hub gave no usable answer; the text is a short cause."""


def ask_hub(repo_id: str, revision: str, *, kind: Literal["model", "dataset"] = "model") -> tuple[str, set[str]]:
    """The commit that a revision (`main` if empty) is now, and the repository's files in it.

    Raises:
        Exception: whatever the Hub's client raises; it gives up after seconds, where left alone it would wait for ever.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.utils import httpx

    wait = httpx.Timeout(constants.HF_HUB_ETAG_TIMEOUT, connect=CONNECT_TIMEOUT_S)
    # The client hands it on to httpx, which takes more than the number that the client's own signature names.
    info = HfApi().repo_info(repo_id, revision=revision or None, repo_type=kind, timeout=wait)  # pyright: ignore[reportArgumentType]
    return str(info.sha), {file.rfilename for file in getattr(info, "siblings", None) or ()}


@contextlib.contextmanager
def bounded_client(answer_timeout_s: float, connect_timeout_s: float) -> Iterator[None]:
    """The Hub's client with an end to its waiting, also for uploads, and as it was after that.

    It takes its way by Git LFS: the other (Xet) waits without end for a server that hangs.
    """
    from huggingface_hub import constants, set_client_factory
    from huggingface_hub.utils import _http, httpx

    factory, no_xet = _http._GLOBAL_CLIENT_FACTORY, constants.HF_HUB_DISABLE_XET

    def bounded() -> httpx.Client:
        client = factory()
        client.timeout = httpx.Timeout(answer_timeout_s, connect=connect_timeout_s)  # left alone, it has none
        return client

    set_client_factory(bounded)
    constants.HF_HUB_DISABLE_XET = True
    try:
        yield
    finally:
        constants.HF_HUB_DISABLE_XET = no_xet
        set_client_factory(factory)


def _download(name: str, files: list[str], revision: str) -> Path:
    """Fetch what is not there yet, one file after the other."""
    from huggingface_hub import hf_hub_download

    try:
        with _translated(name):
            paths = [hf_hub_download(name.partition("@")[0], file, revision=revision) for file in files]
    except _Unreachable as exc:
        raise CheckpointError(
            f"Fetching {name} from the Hugging Face Hub broke off ({exc}). Try again. {WORKS_WITHOUT}"
        ) from exc
    return Path(paths[0]).parent


@contextlib.contextmanager
def _translated(name: str) -> Iterator[None]:
    """The Hub client's errors as ours, or as `_Unreachable`."""
    from huggingface_hub import errors

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
    except Exception as exc:  # sockets, TLS, hf-xet, a login page of the hotel where JSON was expected: no Hub
        raise _Unreachable(_in_words(exc)) from exc


def _in_words(exc: BaseException) -> str:
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx

    if isinstance(exc, errors.LocalEntryNotFoundError) and exc.__cause__:
        exc = exc.__cause__  # the client wraps what happened in advice for its own callers
    if isinstance(exc, errors.HfHubHTTPError):
        return f"it answered with status {exc.response.status_code}"
    if isinstance(exc, httpx.TimeoutException):
        return "no answer in time"
    if isinstance(exc, httpx.RemoteProtocolError):
        return "the connection was cut"
    if isinstance(exc, (ValueError, TypeError)):
        return "the answer was not the Hub's"
    return (str(exc).strip() or type(exc).__name__).splitlines()[0].rstrip(".")


def _choose_weights(name: str, files: set[str]) -> list[str]:
    """The files of weights that would be loaded, if these and a config are there: nothing else is fetched."""
    if "config.json" not in files:
        raise CheckpointError(f"{name} has no config.json, so it is not a model that transformers saved.")
    if "model.safetensors" in files:
        return ["model.safetensors"]
    if INDEX in files:
        return [INDEX, *sorted(file for file in files if SHARD.fullmatch(file))]
    pickles = sorted(file for file in files if "/" not in file and file.endswith(PICKLES))
    if pickles:
        raise CheckpointError(
            f"{name} has only pickled weights ({pickles[0]}), which can run code when they are read. "
            "Ask its author for safetensors, or convert them on a machine that you can lose."
        )
    raise CheckpointError(f"{name} has no weights: no model.safetensors among its {len(files)} files.")


def _cached(repo_id: str, revision: str) -> tuple[Path, str] | None:
    """Folder and commit in the Hub's cache, if all of it was fetched."""
    from huggingface_hub import errors, try_to_load_from_cache

    try:
        config = try_to_load_from_cache(repo_id, "config.json", revision=revision or None)
    except errors.HFValidationError:
        return None
    folder = Path(config).parent if isinstance(config, str) else None
    return (folder, folder.name) if folder and _is_whole(folder) else None


def _is_whole(folder: Path) -> bool:
    """Weights are fetched last, so whoever has them all has the rest."""
    shards = [match for path in folder.iterdir() if (match := SHARD.fullmatch(path.name))]
    return (folder / "model.safetensors").exists() or (bool(shards) and int(shards[0][1]) == len(shards))
