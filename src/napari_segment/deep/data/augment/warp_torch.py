"""Patches changed by PyTorch, on any device: sampled through a grid, bent in their intensities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from napari_segment.deep.data.augment.transforms import Intensity, Spatial

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}
_LEAST_BLUR = 0.1  # voxels
_LEAST_FACTOR = 1.1


def reach(
    corner: Sequence[int], sides: Sequence[int], change: Spatial, shape: Sequence[int]
) -> tuple[slice, ...]:
    """The part of a case that a rotated, scaled and bent patch can come from; never empty."""
    half = (np.array(sides) - 1) / 2
    bent = np.zeros(len(sides))
    if change.bending is not None:
        bent = np.abs(change.bending).reshape(len(sides), -1).max(1)
    middle = np.array(corner) + half
    far = np.abs(change.matrix.astype(np.float64)) @ (half + bent) + 0.01
    low, high = np.floor(middle - far).astype(int), np.ceil(middle + far).astype(int) + 1
    return tuple(
        slice(min(max(int(a), 0), n - 1), max(min(int(b), n), 1))
        for a, b, n in zip(low, high, shape, strict=True)
    )


def grid_of(
    corner: Sequence[int],
    sides: Sequence[int],
    change: Spatial,
    block: Sequence[slice],
    device: torch.device,
) -> Tensor:
    """Return where each voxel of the patch lies in the block, as `grid_sample` wants it."""
    axes = [torch.arange(n, dtype=torch.float32, device=device) - (n - 1) / 2 for n in sides]
    local = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    if change.bending is not None:
        local = local + enlarge(torch.from_numpy(change.bending).to(device), sides)
    positions = torch.tensordot(torch.from_numpy(change.matrix).to(device), local, 1)
    shape = (-1, *(1,) * len(sides))
    middle = [c + (n - 1) / 2 - b.start for c, n, b in zip(corner, sides, block, strict=True)]
    span = [max(b.stop - b.start - 1, 1) for b in block]
    positions += torch.tensor(middle, device=device).reshape(shape)
    positions *= 2 / torch.tensor(span, dtype=torch.float32, device=device).reshape(shape)
    return (positions - 1).flip(0).movedim(0, -1)[None]


def interpolated(block: Tensor, grid: Tensor) -> Tensor:
    """Sample ``(C, *block)`` linearly; its border is repeated."""
    return functional.grid_sample(
        block[None], grid, mode="bilinear", padding_mode="border", align_corners=True
    )[0]


def nearest(block: Tensor, grid: Tensor) -> Tensor:
    """Sample ``(K, *block)`` at the nearest voxel; -1 outside."""
    sampled = functional.grid_sample(
        block[None].float() + 1, grid, mode="nearest", padding_mode="zeros", align_corners=True
    )
    return (sampled[0] - 1).to(block.dtype)


def enlarge(knots: Tensor, shape: Sequence[int]) -> Tensor:
    """Interpolate values at control points ``(K, *knots)`` linearly to ``(K, *shape)``."""
    fine: Tensor = functional.interpolate(
        knots[None], tuple(shape), mode=_LINEAR[len(shape)], align_corners=True
    )
    return fine[0]


def bend(
    image: Tensor,
    change: Intensity,
    knots: NDArray[np.float32] | None,
    noise: NDArray[np.float32] | None,
) -> Tensor:
    """Change the intensities of a patch ``(C, *S)``, which itself is left alone.

    Parameters
    ----------
    image : tensor (C, *S)
        The patch.
    change : Intensity
        What happens to it.
    knots, noise : ndarray or None
        The fields that `Intensity.fields` drew for it.
    """
    changed = there_and_back(blurred(image, change.blur), change.coarser)
    if knots is not None:
        field = enlarge(torch.from_numpy(knots).to(image.device), image.shape[1:])
        changed = changed * (1 + change.bias * field)
    if change.gamma != 1:
        changed = _with_gamma(changed, change.gamma)
    if change.contrast != 1 or change.brightness:
        changed = changed * change.contrast + change.brightness
    if noise is not None:
        changed = changed + torch.from_numpy(noise).to(image.device) * change.noise
    if change.dropped >= 0 and len(changed) > 1:
        changed = changed.clone()
        changed[int(change.dropped * len(changed))] = 0
    return changed


def blurred(image: Tensor, deviation: float) -> Tensor:
    """Blur ``(C, *S)`` with a Gaussian, whose border is repeated."""
    if deviation < _LEAST_BLUR:
        return image
    radius = int(3 * deviation + 0.5)
    steps = torch.arange(-radius, radius + 1, dtype=torch.float32, device=image.device)
    weights = torch.exp(-0.5 * (steps / deviation) ** 2)
    weights = weights / weights.sum()
    for axis in range(1, image.ndim):
        lines = image.movedim(axis, -1)
        flat = lines.reshape(-1, 1, lines.shape[-1])
        padded = functional.pad(flat, (radius, radius), mode="replicate")
        smooth = sum(
            w * padded[..., i : i + flat.shape[-1]] for i, w in enumerate(weights.tolist())
        )
        image = torch.as_tensor(smooth).reshape(lines.shape).movedim(-1, axis)
    return image


def there_and_back(image: Tensor, factor: float) -> Tensor:
    """Take every so manyeth voxel of ``(C, *S)`` and interpolate between them."""
    if factor < _LEAST_FACTOR:
        return image
    shape = tuple(image.shape[1:])
    coarse = tuple(max(1, round(n / factor)) for n in shape)
    small = functional.interpolate(image[None], coarse, mode="nearest-exact")
    again: Tensor = functional.interpolate(
        small, shape, mode=_LINEAR[len(shape)], align_corners=False
    )
    return again[0]


def _with_gamma(image: Tensor, gamma: float) -> Tensor:
    """Bend the intensities between the lowest and the highest of each channel, which stay."""
    axes = tuple(range(1, image.ndim))
    low, high = image.amin(axes, keepdim=True), image.amax(axes, keepdim=True)
    width = (high - low).clamp(min=1e-6)
    bent: Any = ((image - low) / width) ** gamma * width + low
    return bent
