"""`/batch`: every face of many photos judged, photo by photo."""

from collections.abc import Callable

from gradio import FileData

from virtus.calibration import EVEN
from virtus.summary_picture import count_outcomes
from virtus.ui.batch_files import open_batch
from virtus.ui.batch_judging import judge_batch
from virtus.ui.detectors import Detectors


def batch_endpoint(detectors: Detectors) -> Callable:
    def batch(
        files: list[FileData],
        model: str = "auto",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> tuple[list[dict], dict]:  # of each answer: Gradio looks for no generator
        """Judge uploaded photos, or those in uploaded zips: a report with `name` each, and how many of each outcome.

        Answers after each photo with all reports so far; the last answer has all of them.
        """
        opened = open_batch(files)
        detector = detectors.get(model).at_prior(prior)
        reports, answers = [], []
        for judged in judge_batch(detector, opened, whole=bool(whole_image), stability=bool(stability)):
            reports.append(judged.report)
            # Not as `path`: Gradio's client would try to fetch it.
            answers.append({"name": judged.report.path} | judged.report.to_json() | {"path": None})
            yield list(answers), {str(outcome): number for outcome, number in count_outcomes(reports).items()}

    return batch
