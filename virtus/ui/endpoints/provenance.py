"""`/provenance`: what a photo's file says of its own origin."""

from collections.abc import Callable

from gradio import FileData

from virtus.images import read_file
from virtus.provenance import read_provenance
from virtus.ui.detectors import Detectors
from virtus.ui.uploads import uploaded


def provenance_endpoint(_detectors: Detectors) -> Callable:
    def provenance(file: FileData) -> dict:
        """What an uploaded photo's file says of its own origin, apart from any verdict: known, statement, findings."""
        return read_provenance(read_file(uploaded(file))).to_json()

    return provenance
