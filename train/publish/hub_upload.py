"""The upload of a run's folder to the Hugging Face Hub: one commit, and never the token in what is said."""

from __future__ import annotations

import re

from train.publish.hub_errors import LOG_IN, PublishError, translated
from train.publish.hub_target import Target
from train.publish.run import read_run
from virtus.checkpoints import bounded_client

CONNECT_TIMEOUT_S = 10.0
ANSWER_TIMEOUT_S = 60.0  # for an answer; the client asks up to six times for most steps


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
    with translated(target, token, timeout_s=ANSWER_TIMEOUT_S), bounded_client(ANSWER_TIMEOUT_S, CONNECT_TIMEOUT_S):
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
