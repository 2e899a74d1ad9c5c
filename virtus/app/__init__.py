"""The app: one file a tab. Gradio is imported here and in `app.py` alone."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.build import build_app
    from virtus.app.server.mounting import mount
    from virtus.app.server.serving import serve

__getattr__, __all__ = offer(__name__, __file__)
