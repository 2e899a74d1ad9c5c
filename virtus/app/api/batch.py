"""`/batch`: every face of many photos judged, photo by photo."""

from collections.abc import Callable

from gradio import FileData

from virtus.app.api.answers import BatchReportAnswer
from virtus.app.visitors import Detectors, judge_batch, open_batch
from virtus.checkpoints import EVEN
from virtus.results import count_outcomes


def batch_endpoint(detectors: Detectors) -> Callable:
    def batch(
        files: list[FileData],
        model: str = "auto",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> tuple[list[BatchReportAnswer], dict[str, int]]:  # of each answer: Gradio looks for no generator
        """Judge the faces of many photos: a report for each, and how many photos there are of each outcome.

        Answers after each photo with all reports so far; the last answer has all of them.

        Args:
            files: The photos, or zips of them: up to 200, and 512 MiB together, also unpacked.
            model: Who judges: "auto" for the server's own checkpoint, a name of its list, or a Hub id owner/name.
            whole_image: Judge the pictures as they are, without looking for faces: for ready-made face crops.
            stability: Judge each face again under small harmless changes, and say what that does to the probability.
            prior: Share of fakes expected among photos like these: above 0, below 1.
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
