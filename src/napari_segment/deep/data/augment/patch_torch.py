"""Piece: what one patch is made from, finished on whichever device is faster at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_segment.deep.data.augment.transforms import Change
from napari_segment.deep.data.augment.warp_torch import bend, grid_of, interpolated, nearest, reach


@dataclass(frozen=True, eq=False)
class Piece:
    """The part of a case that a patch needs, and what will be done to it.

    Reading and drawing are done where a piece is made (in threads); `finished` only computes, and
    gives the same patch on every device, but for rounding.

    Parameters
    ----------
    image, target : ndarray (C, *block), (K, *block)
        Pixels, and class indices or maps.
    maps : ndarray (M, *block) or None
        What a loss wants of the case, sampled like the image.
    change : Change
        What is done.
    corner, sides : tuple of int
        Of the patch before the change, in the case.
    block : tuple of slice
        Where the part is in the case; empty where it is the patch already.
    knots, noise : ndarray or None
        Fields that were drawn for the intensities.
    """

    image: NDArray[np.float32]
    target: NDArray[Any]
    maps: NDArray[np.float32] | None
    change: Change
    corner: tuple[int, ...]
    sides: tuple[int, ...]
    block: tuple[slice, ...]
    knots: NDArray[np.float32] | None
    noise: NDArray[np.float32] | None

    def finished(self, device: torch.device) -> tuple[Tensor, ...]:
        """The patch: image ``(C, *sides)``, target ``(K, *sides)``, and the maps if there are."""
        given = [self.image, self.target, *([] if self.maps is None else [self.maps])]
        parts = [_tensor(array).to(device) for array in given]
        if self.block:
            spatial = self.change.spatial
            grid = grid_of(self.corner, self.sides, spatial, self.block, device)
            parts = [
                nearest(part, grid) if i == 1 else interpolated(part, grid)
                for i, part in enumerate(parts)
            ]
        axes = [a for a, flipped in enumerate(self.change.spatial.flips, 1) if flipped]
        parts = [part.flip(axes) if axes else part for part in parts]
        return (bend(parts[0], self.change.intensity, self.knots, self.noise), *parts[1:])


def piece(
    image: NDArray[np.float32],
    target: NDArray[Any],
    maps: NDArray[np.float32] | None,
    corner: Sequence[int],
    sides: Sequence[int],
    change: Change,
) -> Piece:
    """Cut what a patch needs out of a case; takes the parameters of `changed_patch`."""
    from napari_segment.deep.data.patches import cut

    corner, sides = tuple(corner), tuple(sides)
    knots, noise = change.intensity.fields((len(image), *sides))
    if change.spatial.is_rigid_grid:
        more = None if maps is None else cut(maps, corner, sides)
        wanted = cut(target, corner, sides, outside=-1)
        return Piece(
            cut(image, corner, sides), wanted, more, change, corner, sides, (), knots, noise
        )
    block = reach(corner, sides, change.spatial, image.shape[1:])
    where = (slice(None), *block)
    more = None if maps is None else maps[where]
    return Piece(image[where], target[where], more, change, corner, sides, block, knots, noise)


def changed_patch(
    image: NDArray[np.float32],
    target: NDArray[Any],
    corner: Sequence[int],
    sides: Sequence[int],
    change: Change,
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Cut a changed patch out of a case, on the CPU.

    Parameters
    ----------
    image : ndarray of float32 (C, *S)
        Repeated at its border where the patch reaches beyond it.
    target : ndarray (K, *S)
        Class indices or maps; -1 where the patch reaches beyond it.
    corner, sides : sequence of int
        Of the patch before the change.
    change : Change
        What is done to it.

    Returns
    -------
    image, target : ndarray (C, *sides), (K, *sides)
    """
    made = piece(image, target, None, corner, sides, change)
    pixels, wanted = made.finished(torch.device("cpu"))
    return pixels.numpy(), wanted.numpy()


def finish(pieces: Sequence[Piece], device: torch.device) -> tuple[Tensor, ...]:
    """Return a batch of finished patches."""
    patches = [p.finished(device) for p in pieces]
    return tuple(torch.stack(parts) for parts in zip(*patches, strict=True))


def _tensor(array: NDArray[Any]) -> Tensor:
    """Return a tensor that owns its memory: the array may be a read-only part of a file."""
    return torch.from_numpy(np.array(array, order="C"))
