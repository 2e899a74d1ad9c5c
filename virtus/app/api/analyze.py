"""`/analyze`: every face of a photo judged."""

from collections.abc import Callable

from gradio import FileData

from virtus.app.api.answers import ReportAnswer
from virtus.app.visitors import Detectors, judge, uploaded
from virtus.checkpoints import EVEN


def analyze_endpoint(detectors: Detectors) -> Callable:
    def analyze(
        file: FileData,
        model: str = "auto",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> ReportAnswer:
        """Judge every face of a photo: real, fake or inconclusive, with its probability of fake where it was judged.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            model: Who judges: "auto" for the server's own checkpoint, a name of its list, or a Hub id owner/name.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            stability: Judge each face again under small harmless changes, and say what that does to the probability.
            prior: Share of fakes expected among photos like this one: above 0, below 1.
        """
        detector = detectors.get(model).at_prior(prior)
        return judge(detector, uploaded(file), whole=bool(whole_image), stability=bool(stability)).report.to_json()

    return analyze
