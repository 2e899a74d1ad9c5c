"""`/analyze`: every face of a photo judged."""

from collections.abc import Callable

from gradio import FileData

from virtus.calibration import EVEN
from virtus.ui.detectors import Detectors
from virtus.ui.judging import judge
from virtus.ui.uploads import uploaded


def analyze_endpoint(detectors: Detectors) -> Callable:
    def analyze(
        file: FileData,
        model: str = "auto",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> dict:
        """Judge every face of an uploaded photo: outcome, checkpoint, prior, image_size, faces, a reason where none."""
        detector = detectors.get(model).at_prior(prior)
        return judge(detector, uploaded(file), whole=bool(whole_image), stability=bool(stability)).report.to_json()

    return analyze
