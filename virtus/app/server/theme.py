"""How the app looks: colours and fonts for Gradio, and the style sheet."""

from __future__ import annotations

from gradio.themes import Base

from virtus.bundled import ASSETS

STYLES = ASSETS / "styles"
# Fonts that are on the visitor's machine: nothing is fetched from elsewhere.
FONTS = ("Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif")
MONO_FONTS = ("SF Mono", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")


def build_theme() -> Base:
    """Calm and light by day, a dark gradient by night."""
    theme = Base(
        primary_hue="indigo",
        secondary_hue="violet",
        neutral_hue="slate",
        radius_size="lg",
        font=FONTS,
        font_mono=MONO_FONTS,
    )
    return theme.set(
        body_background_fill="#f6f7fb",
        body_background_fill_dark="radial-gradient(1200px 700px at 85% -10%, #3b1d6e 0%, transparent 60%), "
        "radial-gradient(900px 600px at -10% 20%, #10305c 0%, transparent 55%), #0b0d1a",
        body_text_color="#1c2333",
        body_text_color_dark="#eceffa",
        body_text_color_subdued="#525c70",
        body_text_color_subdued_dark="#b3bbd1",
        block_background_fill="#ffffff",
        block_background_fill_dark="rgba(22, 26, 46, 0.82)",
        block_radius="14px",
        block_border_color="#e2e6f0",
        block_border_color_dark="rgba(255, 255, 255, 0.10)",
        block_label_text_color="#3a4357",
        block_label_text_color_dark="#d5daea",
        block_info_text_color="#525c70",
        block_info_text_color_dark="#b3bbd1",
        block_shadow="0 1px 3px rgba(28, 35, 51, 0.06)",
        block_shadow_dark="none",
        input_background_fill="#ffffff",
        input_background_fill_dark="#12162b",
        input_border_width="1px",
        input_border_color="#c3cbdc",
        input_border_color_dark="#56608a",
        checkbox_border_color="#7d879c",
        checkbox_border_color_dark="#8b95b5",
        button_primary_background_fill="#4f46e5",
        button_primary_background_fill_dark="#a5b4fc",
        button_primary_background_fill_hover="#4338ca",
        button_primary_background_fill_hover_dark="#c7d2fe",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#14172a",
        border_color_primary="#d5dbe8",
        border_color_primary_dark="#39415f",
    )


def style_sheet() -> str:
    """The CSS of the app: a file for each part of it. None depends on standing before another."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(STYLES.glob("*.css")))
