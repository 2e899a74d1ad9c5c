"""`/provenance`: what a photo's file says of its own origin."""

from collections.abc import Callable

from gradio import FileData

from virtus.images import read_file
from virtus.provenance import read_provenance
from virtus.ui.detectors import Detectors
from virtus.ui.endpoints.answers import ProvenanceAnswer
from virtus.ui.uploads import uploaded


def provenance_endpoint(_detectors: Detectors) -> Callable:
    def provenance(file: FileData) -> ProvenanceAnswer:
        """Read what a photo's file says of its own origin (camera, programs, generators, credentials): a claim.

        Args:
            file: The photo as it came: JPEG, PNG, WebP, TIFF, HEIC, AVIF or GIF, up to 64 MiB.
        """
        return read_provenance(read_file(uploaded(file))).to_json()

    return provenance
