"""Virtus tells real faces from deepfakes in photos, and shows why.

The names below are loaded on first use: `import virtus` loads neither torch nor Pillow.
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "load_image": "virtus.images",
    "find_faces": "virtus.faces",
    "crop_face": "virtus.faces",
    "load_checkpoint": "virtus.checkpoints",
    "Detector": "virtus.detector",
    "analyze_image": "virtus.analysis",
    "analyze_paths": "virtus.analysis",
    "compare_photo": "virtus.comparison",
    "analyze_video": "virtus.clip_analysis",
    "evaluate_folder": "virtus.evaluation",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'virtus' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)
