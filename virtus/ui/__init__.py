"""The app: one file a tab. Gradio is imported here and in `app.py` alone."""

from virtus.ui.app import build_app
from virtus.ui.serving import serve

__all__ = ["build_app", "serve"]
