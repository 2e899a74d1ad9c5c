"""The app: one file a tab. Gradio is imported here and in `app.py` alone."""

from virtus.app.build import build_app
from virtus.app.server.serving import serve

__all__ = ["build_app", "serve"]
