"""Virtus tells real faces from deepfakes in photos, and shows why.

The names below are loaded on first use: `import virtus` loads neither torch nor Pillow.
"""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app import mount
    from virtus.checkpoints import Detector, load_checkpoint
    from virtus.faces import crop_face, find_faces
    from virtus.judging import analyze_image, analyze_paths, compare_photo, evaluate_folder, explore
    from virtus.media import load_image
    from virtus.video import analyze_video

__version__ = "0.2.0"
__getattr__, _names = offer(__name__, __file__)
__all__ = ["__version__", *_names]
