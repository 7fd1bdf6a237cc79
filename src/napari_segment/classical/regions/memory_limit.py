"""Refuse, before it begins, work that would not end for want of memory."""

from __future__ import annotations

from napari_segment.arrays import Array
from napari_segment.blocks.memory import free_memory
from napari_segment.errors import InputError


def require_memory(image: Array, per_voxel: int, what: str) -> None:
    """Check that there is memory for work whose need grows with the number of voxels.

    Parameters
    ----------
    image : array
        What is worked on.
    per_voxel : int
        Bytes that the work needs for each, as measured.
    what : str
        The work, to begin the message with.

    Raises
    ------
    InputError
        If the work needs more than what is free.
    """
    need, free = image.size * per_voxel, free_memory()
    if need > free:
        raise InputError(
            f"{what} needs about {need / 1e9:,.1f} GB for {image.size:,} voxels, but "
            f"{free / 1e9:,.1f} GB are free. Crop the image, work plane by plane "
            "(apply_to='plane'), or take every second voxel."
        )
