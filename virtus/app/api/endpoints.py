"""The documented API: a method for each endpoint.

Gradio shows their docstrings on its API page and reads their types, so these are not postponed to strings here.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from gradio import FileData
from gradio.events import api as add_api

from virtus.app.api.answering import answering, as_json, file_answer
from virtus.app.api.answers import (
    BatchReport,
    CheckpointName,
    CheckpointReport,
    CompareAnswer,
    ExplainAnswer,
    ExploreAnswer,
    NotAsked,
)
from virtus.app.api.one_face import explained_face, explored_face
from virtus.app.maps import TARGETS, MapRequest
from virtus.app.visitors import (
    MAX_MAPPED,
    NUM_ANIMATION_FRAMES,
    QUEUE,
    AskedCheckpoint,
    Detectors,
    compare_checkpoints,
    judge_batch,
    judge_clip,
    judge_photo,
    on_gpu,
    open_batch,
    uploaded,
    write_report,
)
from virtus.checkpoints import EVEN
from virtus.drawing import DEFAULT_OPACITY
from virtus.errors import InputError
from virtus.explain import DEFAULT_METHOD, EXPLAINERS, HEAD_FUSIONS
from virtus.media import read_file
from virtus.provenance import Provenance, read_provenance
from virtus.reports import ReportSettings
from virtus.results import ImageReport, count_outcomes
from virtus.video import NUM_FRAMES, VideoReport

if TYPE_CHECKING:
    Method = str
    Target = str
    HeadFusion = str
    BatchAnswers = Iterator[tuple[list[BatchReport], dict[str, int | list[str]]]]
else:  # type checkers read no names from tables; and Gradio wants the type of each answer
    Method, Target, HeadFusion = Literal[*EXPLAINERS], Literal[*TARGETS], Literal[*HEAD_FUSIONS]
    BatchAnswers = tuple[list[BatchReport], dict[str, int | list[str]]]

ENDPOINTS = ("analyze", "explain", "explore", "batch", "report", "provenance", "video", "compare")
WITHOUT_MODEL = ("provenance",)
QUEUES = {"batch": QUEUE}


def endpoint_functions(detectors: Detectors) -> dict[str, Callable]:
    """Name of each endpoint to its function. It raises a `VirtusError` for what cannot be answered."""
    endpoints = Endpoints(detectors)
    return {name: as_json(getattr(endpoints, name)) for name in ENDPOINTS}


def add_endpoints(detectors: Detectors) -> None:
    """Add them to the Blocks that are being built."""
    for name, function in endpoint_functions(detectors).items():
        answer = answering(function)
        run = answer if name in WITHOUT_MODEL else on_gpu(answer)
        add_api(run, api_name=name, **QUEUES.get(name, {}))


class Endpoints:
    """The endpoints, with the detectors that they share."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def analyze(
        self,
        file: FileData,
        model: str = "auto",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> ImageReport | VideoReport:
        """Judge every face of a photo: real, fake or inconclusive, with its probability of fake where it was judged.

        An animation is answered as a clip is: of a few frames, each face followed from one to the next.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            model: Who judges: "auto", a name of the server's list, or a Hub id. owner/name#LABEL says which is fake.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            stability: Judge each face again under small harmless changes, and say what that does to the probability.
            prior: Share of fakes expected among photos like this one: above 0, below 1.
        """
        detector = self._detectors.get(model).at_prior(prior)
        judged = judge_photo(detector, uploaded(file), whole=bool(whole_image), stability=bool(stability))
        if judged.report.note is None:
            return judged.report
        return judge_clip(detector, uploaded(file), num_frames=NUM_ANIMATION_FRAMES, whole=bool(whole_image)).report

    def explain(
        self,
        file: FileData,
        model: str = "auto",
        method: Method = DEFAULT_METHOD,
        target: Target = "predicted",
        face: int = 0,
        opacity: float = DEFAULT_OPACITY,
        layer: int = -1,
        head: int | None = None,
        head_fusion: HeadFusion = "mean",
        discard_ratio: float = 0.0,
        whole_image: bool = False,
        faithfulness: bool = False,
    ) -> tuple[ExplainAnswer, FileData | None, FileData | None]:
        """Explain the verdict on one face: its raw heatmap, and the overlay as PNG on its crop and on the photo.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            model: Who judges: "auto", a name of the server's list, or a Hub id. owner/name#LABEL says which is fake.
            method: How the map is made. What a method does not take of the options below is left aside.
            target: The class that the map speaks of, for methods that know one.
            face: Which face, 0 is the largest.
            opacity: Of the map in the PNGs, 0 to 1.
            layer: Whose tokens are looked at: 0 is the first block, -1 the last.
            head: Of the attention, from 0; null for all of them, made one by head_fusion.
            head_fusion: How the heads become one.
            discard_ratio: Share of the smallest attention left out of each block, 0 up to but not including 1.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            faithfulness: Hold the map against 99 random ones: is it better than chance? Takes some seconds.
        """
        wanted = MapRequest(method, target, opacity, layer, head, head_fusion, discard_ratio)
        detector = self._detectors.get(model)
        judged = judge_photo(detector, uploaded(file), whole=bool(whole_image))
        return explained_face(detector, judged, face, wanted, faithfulness)

    def explore(
        self,
        file: FileData,
        model: str = "auto",
        face: int | None = None,
        whole_image: bool = False,
        prior: float = EVEN,
    ) -> tuple[ExploreAnswer, FileData | None, FileData | None]:
        """Look into the model at one face: p block by block, where it looked; all arrays as .npz, rollout as WebP.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            model: Who judges: "auto", a name of the server's list, or a Hub id. owner/name#LABEL says which is fake.
            face: Which face, 0 is the largest; null for the one that decided.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            prior: Share of fakes expected among photos like this one: above 0, below 1.
        """
        detector = self._detectors.get(model).at_prior(prior)
        return explored_face(detector, judge_photo(detector, uploaded(file), whole=bool(whole_image)), face)

    def batch(
        self,
        files: list[FileData],
        model: str = "auto",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> BatchAnswers:
        """Judge the faces of many photos: a report for each, and how many photos there are of each outcome.

        Answers after each photo with all reports so far; the last answer has all of them. Where files were left out
        that are no photos, sentences that say so stand beside the counts, as "left_out".

        Args:
            files: The photos, or zips of them: up to 200, and 512 MiB together, also unpacked.
            model: Who judges: "auto", a name of the server's list, or a Hub id. owner/name#LABEL says which is fake.
            whole_image: Judge the pictures as they are, without looking for faces: for ready-made face crops.
            stability: Judge each face again under small harmless changes, and say what that does to the probability.
            prior: Share of fakes expected among photos like these: above 0, below 1.
        """
        opened = open_batch(files)
        detector = self._detectors.get(model).at_prior(prior)
        sentences = opened.left_out_in_words()
        left_out = {"left_out": sentences} if sentences else {}
        reports: list[ImageReport] = []
        named: list[BatchReport] = []
        for judged in judge_batch(detector, opened, whole=bool(whole_image), stability=bool(stability)):
            reports.append(judged.report)
            # Not as `path`: Gradio's client would try to fetch it.
            named.append(BatchReport(judged.report.path or "", replace(judged.report, path=None)))
            counts = {str(outcome): number for outcome, number in count_outcomes(reports).items()}
            yield list(named), counts | left_out

    def report(
        self,
        file: FileData,
        model: str = "auto",
        methods: str = ",".join(ReportSettings().methods),
        whole_image: bool = False,
        prior: float = EVEN,
    ) -> tuple[FileData, FileData]:
        """Write the report of a photo: one self-contained HTML page, and the JSON that `virtus replay` reads.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            model: Who judges: "auto", a name of the server's list, or a Hub id. owner/name#LABEL says which is fake.
            methods: Of the maps, with commas between them. Each takes some ten seconds a face; none if empty.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            prior: Share of fakes expected among photos like this one: above 0, below 1.
        """
        named = tuple(name.strip() for name in str(methods).split(",") if name.strip())
        settings = ReportSettings(methods=named, whole=bool(whole_image), prior=prior, num_mapped=MAX_MAPPED)
        page, json = write_report(self._detectors, file, model, settings)
        return file_answer(page, "text/html"), file_answer(json, "application/json")

    def provenance(self, file: FileData) -> Provenance:
        """Read what a photo's file says of its own origin (camera, programs, generators, credentials): a claim.

        Args:
            file: The photo as it came: JPEG, PNG, WebP, TIFF, HEIC, AVIF or GIF, up to 64 MiB.
        """
        return read_provenance(read_file(uploaded(file)))

    def video(
        self,
        file: FileData,
        model: str = "auto",
        num_frames: int = NUM_FRAMES,
        whole_image: bool = False,
        prior: float = EVEN,
        explain: bool = False,
    ) -> VideoReport:
        """Judge every person in a clip: real, fake or inconclusive, by the median of evenly spaced frames.

        Args:
            file: The clip: MP4, MOV, WebM, MKV or AVI, up to 256 MiB and ten minutes.
            model: Who judges: "auto", a name of the server's list, or a Hub id. owner/name#LABEL says which is fake.
            num_frames: How many frames to read, evenly spaced in time: 1 to 300.
            whole_image: Judge the frames as they are, without looking for faces: all are of one person.
            prior: Share of fakes expected among clips like this one: above 0, below 1.
            explain: Explain the most telling frame of each person by the default method.
        """
        if isinstance(num_frames, bool) or not isinstance(num_frames, int) or num_frames < 1:
            raise InputError(f"num_frames is a whole number from 1 on, not {num_frames!r}.")
        detector = self._detectors.get(model).at_prior(prior)
        methods = [DEFAULT_METHOD] if explain else []
        whole = bool(whole_image)
        return judge_clip(detector, uploaded(file), num_frames=num_frames, whole=whole, methods=methods).report

    def compare(
        self,
        file: FileData,
        models: list[str] | None = None,
        method: Method | None = None,
        target: Target = "predicted",
        whole_image: bool = False,
        stability: bool = False,
        prior: float = EVEN,
    ) -> CompareAnswer:
        """Judge the faces of a photo by several checkpoints, and say whether they agree.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            models: Who judges: up to four of "auto", names of its list, Hub ids, owner/name#LABEL. Null: its own.
            method: Of the maps, one for each face and checkpoint. Null: no maps.
            target: The class that the maps speak of, for methods that know one.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            stability: Judge each face again under small harmless changes, and say what that does to the probability.
            prior: Share of fakes expected among photos like this one: above 0, below 1.
        """
        wanted = MapRequest(method or DEFAULT_METHOD, target)
        compared = compare_checkpoints(
            self._detectors,
            _names(self._detectors, models),
            uploaded(file),
            prior=prior,
            whole=bool(whole_image),
            stability=bool(stability),
            methods=[wanted.method] if method else [],
            target=wanted.label,
        )
        return CompareAnswer(compared.comparison, tuple(map(_checkpoint_report, compared.answers)))


def _names(detectors: Detectors, models: object) -> list[str]:
    if models is None:
        return detectors.preselected
    if not isinstance(models, list) or not all(isinstance(name, str) for name in models):
        raise InputError(f"models is a list of names of checkpoints, not {models!r}.")
    return [name.strip() for name in models]


def _checkpoint_report(answer: AskedCheckpoint) -> CheckpointReport | NotAsked:
    if answer.judged is None:
        return NotAsked(CheckpointName(answer.name), answer.error or "")
    return CheckpointReport(answer.judged.report)
