"""The documented API: a file for each endpoint.

Gradio reads the types of their functions, so these are not postponed to strings there.
"""

from collections.abc import Callable

import gradio as gr

from virtus.app.api.analyze import analyze_endpoint
from virtus.app.api.answering import answering
from virtus.app.api.batch import batch_endpoint
from virtus.app.api.compare import compare_endpoint
from virtus.app.api.explain import explain_endpoint
from virtus.app.api.provenance import provenance_endpoint
from virtus.app.api.report import report_endpoint
from virtus.app.api.video import video_endpoint
from virtus.app.visitors import QUEUE, Detectors, on_gpu

ENDPOINTS = {
    "analyze": analyze_endpoint,
    "explain": explain_endpoint,
    "batch": batch_endpoint,
    "report": report_endpoint,
    "provenance": provenance_endpoint,
    "video": video_endpoint,
    "compare": compare_endpoint,
}
"""Name of each endpoint to what makes its function from the app's detectors."""
WITHOUT_MODEL = ("provenance",)
QUEUES = {"batch": QUEUE}


def endpoint_functions(detectors: Detectors) -> dict[str, Callable]:
    """Name of each endpoint to its function. It raises a `VirtusError` for what cannot be answered."""
    return {name: endpoint(detectors) for name, endpoint in ENDPOINTS.items()}


def add_endpoints(detectors: Detectors) -> None:
    """Add them to the Blocks that are being built."""
    for name, function in endpoint_functions(detectors).items():
        answer = answering(function)
        run = answer if name in WITHOUT_MODEL else on_gpu(answer)
        gr.api(run, api_name=name, **QUEUES.get(name, {}))
