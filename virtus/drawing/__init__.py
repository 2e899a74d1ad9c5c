"""Reports drawn on photos: boxes and outcomes, heatmaps as overlays, pictures inside a page."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.drawing.annotate import (
        TONES,
        Encoding,
        Tone,
        annotate_faces,
        data_uri,
        encode_picture,
        fit_display,
        jpeg_uri,
    )
    from virtus.drawing.overlay import (
        DEFAULT_OPACITY,
        draw_layer,
        legend_ends,
        overlay_crop,
        overlay_photo,
        trace_top,
    )
    from virtus.drawing.sheets import draw_heads, draw_lens, save_growth

__getattr__, __all__ = offer(__name__, __file__)
