"""A run to the Hugging Face Hub: where it goes, its upload in one commit, and what can go wrong with that."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from train.publish.run import read_run
from virtus.checkpoints import bounded_client
from virtus.errors import InputError, VirtusError

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

LOG_IN = "Log in by `hf auth login`, or set HF_TOKEN to a token with write permission"
CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0  # the client asks up to six times for most steps


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


class PublishError(VirtusError):
    """A run that could not be uploaded: the text says why, what to do, and that nothing is lost."""


def upload(target: Target) -> str:
    """Upload what `hub_folder.write_folder` wrote, as one commit; the repository is made where there is none.

    Returns:
        The commit's address.

    Raises:
        PublishError: whatever went wrong. The folder stays as it is.
    """
    from huggingface_hub import HfApi

    token = _find_token(target)
    message = target.message or f"Publish a run of {read_run(target.run).recipe}"
    with _translated(target, token), bounded_client(ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S):
        api = HfApi(token=token)
        api.create_repo(target.repo_id, private=target.private or None, exist_ok=True)
        if target.private and not api.model_info(target.repo_id).private:
            raise PublishError(
                f"{target.repo_id} exists and is public: nothing was sent. Make it private in its settings on the Hub, "
                f"give another name, or leave out --private. {target.advice}"
            )
        return api.upload_folder(repo_id=target.repo_id, folder_path=target.folder, commit_message=message).commit_url


def _find_token(target: Target) -> str:
    """From the places where the Hub's own client looks.

    Raises:
        PublishError: if there is none, or what is there can be none.
    """
    from huggingface_hub import get_token

    try:
        token = get_token()
    except Exception as exc:  # of the log-in without a token that CI systems have; its text may hold what was tried
        what = f"The Hub's client could not get a token ({type(exc).__name__})"
        raise PublishError(f"{what}. {LOG_IN}. {target.advice}") from None
    if not token:
        raise PublishError(f"There is no token for the Hugging Face Hub. {LOG_IN}. {target.advice}")
    if not re.fullmatch(r"[!-~]+", token):  # the client's own error would print it
        what = "The token for the Hugging Face Hub holds characters that none can have: copy it again"
        raise PublishError(f"{what}. {LOG_IN}. {target.advice}")
    return token


@contextlib.contextmanager
def _translated(target: Target, token: str) -> Iterator[None]:
    """The Hub client's errors as `PublishError`s, in which the token is never."""
    try:
        yield
    except PublishError:
        raise
    except Exception as exc:  # sockets, TLS, a login page of the hotel, an answer that is not the Hub's
        cause, remedy = _explain(exc, target)
        text = f"{target.repo_id} was not published: {cause}. {remedy} {target.advice}"
        raise PublishError(text.replace(token, "[the token]")) from exc


def _explain(exc: BaseException, target: Target) -> tuple[str, str]:
    """What happened, and what to do."""
    from huggingface_hub import errors
    from huggingface_hub.utils import httpx

    while type(exc) is RuntimeError and exc.__cause__:  # the client wraps what happens while a file is sent
        exc = exc.__cause__
    if isinstance(exc, errors.OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set", "Unset it."
    if isinstance(exc, errors.HfHubHTTPError):
        return _explain_status(exc, target)
    if isinstance(exc, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        return f"the Hub cannot be reached ({_first_line(exc)})", "See to the network, and to HF_ENDPOINT if it is set."
    if isinstance(exc, httpx.TimeoutException):
        return f"the Hub gave no answer in {ANSWER_TIMEOUT_S:g} s", "Try again later."
    if isinstance(exc, httpx.TransportError):
        return "the connection was cut", "Try again."
    if isinstance(exc, (json.JSONDecodeError, KeyError, TypeError, AttributeError)):
        return "the answer was not the Hub's", "See to the network (a login page?), and to HF_ENDPOINT if it is set."
    return f"the Hub's client gave up ({_first_line(exc)})", f"If it is about rights: may you write to {target.owner}?"


def _explain_status(exc: HfHubHTTPError, target: Target) -> tuple[str, str]:
    status, owner, message = exc.response.status_code, target.owner, (exc.server_message or "").splitlines()
    what = f"the Hub answered with status {status}" + (f", {message[0].rstrip('.')}" if message else "")
    remedies = {
        401: f"The token is mistyped, expired or revoked. {LOG_IN}.",
        403: f"The token may not write to {owner}: make one with write permission for it, or name another owner.",
        404: f"See whether {owner} is spelt right, and whether the token may see {target.repo_id}.",
        429: "Wait some minutes.",
    }
    if status >= 500:
        return what, "This is the Hub's fault: try again later (https://status.huggingface.co)."
    return what, remedies.get(status, "It refuses what was sent: what it says names the cause.")


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0].rstrip(".")
