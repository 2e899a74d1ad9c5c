"""`/provenance`: what a photo's file says of its own origin."""

from collections.abc import Callable

from gradio import FileData

from virtus.app.api.answers import ProvenanceAnswer
from virtus.app.visitors import Detectors, uploaded
from virtus.media import read_file
from virtus.provenance import read_provenance


def provenance_endpoint(_detectors: Detectors) -> Callable:
    def provenance(file: FileData) -> ProvenanceAnswer:
        """Read what a photo's file says of its own origin (camera, programs, generators, credentials): a claim.

        Args:
            file: The photo as it came: JPEG, PNG, WebP, TIFF, HEIC, AVIF or GIF, up to 64 MiB.
        """
        return read_provenance(read_file(uploaded(file))).to_json()

    return provenance
