"""Photos, zips and folders as they come from outside: looked at before they are decoded, and read within limits."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.media.animations import Animation
    from virtus.media.archives import Archive, ArchivedFile, RefusedArchive, open_archive
    from virtus.media.color_codes import codes_to_srgb, differs_from_srgb
    from virtus.media.containers import gif_application, mime_of, parts_of, tiff_entries, tiff_value
    from virtus.media.guards import MAX_PARTS
    from virtus.media.images import (
        MAX_BYTES,
        MAX_PIXELS,
        SUPPORTED,
        ImageSource,
        animation_frames,
        load_image,
        open_animation,
        open_image,
        read_file,
    )
    from virtus.media.kinds import (
        VIDEO_SUFFIXES,
        FileKind,
        LeftOut,
        is_clip,
        is_image_path,
        is_video_path,
        kind_of,
        read_first_bytes,
    )
    from virtus.media.large import LargePhoto
    from virtus.media.listing import check_there, count_files, find_pictures, list_files, read_list

__getattr__, __all__ = offer(__name__, __file__)
