"""A scan on a Ray cluster: Ray Data hands paths to actors that hold the model, and their rows come back in order."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.scans.ray.job import list_sources, scan_on_ray
    from virtus.scans.ray.requirements import require_ray
    from virtus.scans.ray.stores import is_address

__getattr__, __all__ = offer(__name__, __file__)
