"""Exact distances to the boundary of masks: on CPUs by edt, on other devices in torch itself."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_AT_ONCE = 2**26  # numbers compared at a time


def signed_distance(mask: NDArray[np.bool_], spacing: Sequence[float] = ()) -> NDArray[np.float32]:
    """Distance to the boundary of a mask in units of the finest spacing, negative inside.

    Parameters
    ----------
    mask : array (*S) of bool
        The region.
    spacing : sequence of float
        Distance of neighbours along each axis; empty for equal spacing.

    Returns
    -------
    array (*S) of float32
        From each voxel to the nearest voxel of the other side. A mask without another side
        counts as far from everywhere: half the shortest side of the array.
    """
    from edt import edt

    relative = _relative(spacing, mask.ndim)
    if mask.all() or not mask.any():
        return np.where(mask, -1, 1).astype(np.float32) * np.float32(_far(mask.shape, relative))
    sides = np.ascontiguousarray(mask).view(np.uint8) + np.uint8(1)
    far = edt(sides, anisotropy=relative)  # of both labels in one pass
    return np.where(mask, -far, far).astype(np.float32, copy=False)


def signed_distances(
    masks: Tensor, spacing: Sequence[float] = (), *, background: bool = True
) -> Tensor:
    """Signed distance of every sample and channel.

    Parameters
    ----------
    masks : tensor (B, C, *S) of bool
        The regions.
    spacing : sequence of float
        Distance of neighbours along each axis; empty for equal spacing.
    background : bool
        Whether the first of several channels is wanted; if not, it is 0.

    Returns
    -------
    tensor (B, C, *S) of float32
        As `signed_distance` gives them, on the device of the masks.
    """
    first = 0 if background or masks.shape[1] == 1 else 1
    distances = torch.zeros(masks.shape, device=masks.device)
    wanted = masks[:, first:].flatten(0, 1)
    if masks.device.type == "cpu":
        far = torch.from_numpy(np.stack([signed_distance(m, spacing) for m in wanted.numpy()]))
    else:
        far = _on_device(wanted, _relative(spacing, wanted.ndim - 1))
    distances[:, first:] = far.reshape(distances[:, first:].shape)
    return distances


def _on_device(masks: Tensor, spacing: Sequence[float]) -> Tensor:
    """Signed distances of masks (N, *S): squared distances are least axis by axis [1]_.

    References
    ----------
    .. [1] Saito and Toriwaki (1994), New algorithms for Euclidean distance transformation of an
       n-dimensional digitized picture. :doi:`10.1016/0031-3203(94)90133-3`
    """
    sides = torch.stack([masks, ~masks])  # the distance is 0 on the other side of each
    squared = torch.where(sides, torch.inf, 0.0)
    for axis, size in enumerate(spacing, start=2):
        squared = _along(squared.movedim(axis, -1), size).movedim(-1, axis)
    inside, outside = squared.sqrt()
    far = _far(masks.shape[1:], spacing)
    signed = torch.where(masks, -inside, outside)
    return torch.where(signed.isinf(), torch.where(masks, -far, far), signed)


def _along(squared: Tensor, size: float) -> Tensor:
    """Return the least of every value and the squared way to it, along the last axis."""
    n = squared.shape[-1]
    positions = torch.arange(n, device=squared.device) * size
    way = (positions[:, None] - positions) ** 2
    rows = squared.reshape(-1, n).split(max(1, _AT_ONCE // n**2))
    return torch.cat([(part[:, None] + way).amin(-1) for part in rows]).reshape(squared.shape)


def _relative(spacing: Sequence[float], ndim: int) -> tuple[float, ...]:
    sizes = tuple(spacing) or (1.0,) * ndim
    return tuple(s / min(sizes) for s in sizes)


def _far(shape: Sequence[int], spacing: Sequence[float]) -> float:
    return min(n * s for n, s in zip(shape, spacing, strict=True)) / 2
