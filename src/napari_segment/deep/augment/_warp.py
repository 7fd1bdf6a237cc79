"""Resampling of patches, by PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from napari_segment.deep.augment.change import Spatial

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def warp(
    image: NDArray[np.float32],
    target: NDArray[Any],
    corner: Sequence[int],
    sides: Sequence[int],
    change: Spatial,
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    """Sample a rotated, scaled and bent patch; see `Change.patch`.

    The image is interpolated linearly and repeated at its border; the target is taken from the
    nearest voxel and is -1 outside.
    """
    places = _places(corner, sides, change)
    shape = image.shape[1:]
    flat = places.flatten(1)
    low = flat.amin(1).floor().int().tolist()
    high = flat.amax(1).ceil().int().tolist()
    block = [
        slice(min(max(a, 0), n - 1), max(min(b + 1, n), 1))
        for a, b, n in zip(low, high, shape, strict=True)
    ]
    grid = _grid(places, [b.start for b in block], [b.stop - b.start for b in block])
    part = torch.from_numpy(np.ascontiguousarray(image[(slice(None), *block)]))
    marks = torch.from_numpy(target[(slice(None), *block)].astype(np.float32) + 1)
    pixels = functional.grid_sample(
        part[None], grid, mode="bilinear", padding_mode="border", align_corners=True
    )
    wanted = functional.grid_sample(
        marks[None], grid, mode="nearest", padding_mode="zeros", align_corners=True
    )
    return pixels[0].numpy(), (wanted[0].numpy() - 1).astype(target.dtype)


def enlarge(knots: NDArray[np.float32], shape: Sequence[int]) -> NDArray[np.float32]:
    """Interpolate values at control points ``(K, *knots)`` linearly to ``(K, *shape)``."""
    fine = functional.interpolate(
        torch.from_numpy(knots)[None],
        tuple(shape),
        mode=_LINEAR[len(shape)],
        align_corners=True,
    )
    enlarged: NDArray[np.float32] = fine[0].numpy()
    return enlarged


def there_and_back(image: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Take every so manyeth voxel and interpolate between them."""
    shape = image.shape[1:]
    coarse = tuple(max(1, round(n / factor)) for n in shape)
    given = torch.from_numpy(np.ascontiguousarray(image))[None]
    mode = _LINEAR[len(shape)]
    small = functional.interpolate(given, coarse, mode="nearest-exact")
    again = functional.interpolate(small, shape, mode=mode, align_corners=False)
    changed: NDArray[np.float32] = again[0].numpy()
    return changed


def _places(corner: Sequence[int], sides: Sequence[int], change: Spatial) -> torch.Tensor:
    """Where in the image each voxel of the patch comes from, (D, *sides)."""
    axes = [torch.arange(n, dtype=torch.float32) - (n - 1) / 2 for n in sides]
    local = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    if change.bending is not None:
        local = local + torch.from_numpy(enlarge(change.bending, sides))
    turned = torch.tensordot(torch.from_numpy(change.matrix), local, 1)
    middle = [c + (n - 1) / 2 for c, n in zip(corner, sides, strict=True)]
    return turned + torch.tensor(middle).reshape(-1, *(1,) * len(sides))


def _grid(places: torch.Tensor, first: Sequence[int], sizes: Sequence[int]) -> torch.Tensor:
    """The coordinates that `grid_sample` wants: from -1 to 1, the last axis first."""
    shape = (-1, *(1,) * (places.ndim - 1))
    start = torch.tensor(first, dtype=torch.float32).reshape(shape)
    span = torch.tensor([max(n - 1, 1) for n in sizes], dtype=torch.float32).reshape(shape)
    return (2 * (places - start) / span - 1).flip(0).movedim(0, -1)[None]
