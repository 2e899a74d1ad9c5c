"""What the bytes of a picture say of its origin, read offline and apart from the verdict."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.provenance.findings import Provenance
    from virtus.provenance.reading import read_provenance

__getattr__, __all__ = offer(__name__, __file__)
