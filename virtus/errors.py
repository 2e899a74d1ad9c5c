"""Every error that Virtus raises on purpose. Their texts are written for the person who reads them."""


class VirtusError(Exception):
    """Base of all errors raised on purpose: the text says what is wrong and what to do."""


class InputError(VirtusError):
    """Something that the user handed in cannot be used."""


class ImageError(InputError):
    """A source that is not a usable picture."""


class VideoError(InputError):
    """A source that is not a usable clip."""


class DataError(InputError):
    """A folder of labelled pictures that cannot be used."""


class CheckpointError(VirtusError):
    """A checkpoint that cannot be found, fetched or trusted."""
