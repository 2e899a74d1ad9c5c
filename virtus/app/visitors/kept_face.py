"""What the server holds of a face while its visitor looks at maps of it, so that another map costs no new pass."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PIL import Image

from virtus.app.widgets import CROP_SIDE, scale_crop
from virtus.drawing import fit_display
from virtus.results import FaceCrop, FaceReport

if TYPE_CHECKING:
    import torch

    from virtus.checkpoints import Detector, TrunkState


@dataclass(frozen=True)
class KeptFace:
    """One face, small: pictures at display size, and the tokens that entered each block.

    Attributes:
        asked: the upload, checkpoint, mode and face that it answers.
        photo: at display size; `photo_crop` is the face's crop in its pixels.
        crop: at display size.
        judged_crop: small, and to the model the same as the large one.
        block_inputs: of a `TrunkState`, on the CPU: a GPU that is lent for one call has no memory of its own.
    """

    asked: tuple
    photo: Image.Image
    photo_crop: FaceCrop
    crop: FaceCrop
    judged_crop: FaceCrop
    block_inputs: tuple[torch.Tensor, ...]

    def state(self, detector: Detector) -> TrunkState:
        """What the explainers take. No pass of the trunk."""
        return detector.state_of(self.block_inputs)


def keep_face(detector: Detector, photo: Image.Image, face: FaceReport, asked: tuple) -> KeptFace:
    """Run the trunk on a judged face, and keep what its maps need."""
    shown = fit_display(photo)
    return KeptFace(
        asked=asked,
        photo=shown,
        photo_crop=scale_crop(face.crop, shown.width / photo.width, shown.height / photo.height),
        crop=replace(face.crop, image=fit_display(face.crop.image, side=CROP_SIDE)),
        judged_crop=replace(face.crop, image=detector.checkpoint.transform.scale(face.crop.image)),
        block_inputs=tuple(tokens.cpu() for tokens in detector.encode([face.crop]).block_inputs),
    )
