"""`/report`: a photo's written report, as a page and as JSON."""

from collections.abc import Callable

from gradio import FileData

from virtus.app.visitors import MAX_MAPPED, Detectors, write_report
from virtus.checkpoints import EVEN
from virtus.reports import Settings


def report_endpoint(detectors: Detectors) -> Callable:
    def report(
        file: FileData,
        model: str = "auto",
        methods: str = ",".join(Settings().methods),
        whole_image: bool = False,
        prior: float = EVEN,
    ) -> tuple[FileData, FileData]:
        """Write the report of a photo: one self-contained HTML page, and the JSON that `virtus replay` reads.

        Args:
            file: The photo: JPEG, PNG, WebP, HEIC, AVIF and others, up to 64 MiB.
            model: Who judges: "auto" for the server's own checkpoint, a name of its list, or a Hub id owner/name.
            methods: Of the maps, with commas between them. Each takes some ten seconds a face; none if empty.
            whole_image: Judge the picture as it is, without looking for faces: for ready-made face crops.
            prior: Share of fakes expected among photos like this one: above 0, below 1.
        """
        named = tuple(name.strip() for name in str(methods).split(",") if name.strip())
        settings = Settings(methods=named, whole=bool(whole_image), prior=prior, num_mapped=MAX_MAPPED)
        page, json = write_report(detectors, file, model, settings)
        kinds = {page: "text/html", json: "application/json"}
        return tuple(FileData(path=str(path), orig_name=path.name, mime_type=kind) for path, kind in kinds.items())

    return report
