"""Virtus tells real faces from deepfakes in photos, and shows why.

The names below are loaded on first use: `import virtus` loads neither torch nor Pillow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "load_image": "virtus.media.images",
    "find_faces": "virtus.faces.find",
    "crop_face": "virtus.faces.find",
    "load_checkpoint": "virtus.checkpoints.load",
    "Detector": "virtus.checkpoints.detector",
    "analyze_image": "virtus.judging.photo",
    "analyze_paths": "virtus.judging.photo",
    "compare_photo": "virtus.judging.comparison",
    "analyze_video": "virtus.video.analysis",
    "evaluate_folder": "virtus.judging.evaluation",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'virtus' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
