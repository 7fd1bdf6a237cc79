"""Morphological snakes: one step of the level set, and the smoothing of its outline."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.arrays import Floats

Mask = NDArray[np.uint8]
Doubles = NDArray[np.float64]


@njit(cache=True, nogil=True)
def sums_inside(image: Floats, inside: Mask, first: int, last: int, out: Doubles) -> None:
    """For each plane, the sum and number of voxels inside and outside."""
    for z in range(first, last):
        out[z] = 0
        for y in range(image.shape[1]):
            for x in range(image.shape[2]):
                k = 0 if inside[z, y, x] else 2
                out[z, k] += image[z, y, x]
                out[z, k + 1] += 1


@njit(cache=True, nogil=True)
def chan_vese_step(
    image: Floats,
    old: Mask,
    new: Mask,
    mean: Doubles,
    weight: Doubles,
    first: int,
    last: int,
) -> None:
    """On the outline, give voxels to the side whose mean is nearer (Chan and Vese)."""
    nz, ny, nx = image.shape
    for z in range(first, last):
        for y in range(ny):
            for x in range(nx):
                new[z, y, x] = old[z, y, x]
                if (
                    old[max(z - 1, 0), y, x] == old[min(z + 1, nz - 1), y, x]
                    and old[z, max(y - 1, 0), x] == old[z, min(y + 1, ny - 1), x]
                    and old[z, y, max(x - 1, 0)] == old[z, y, min(x + 1, nx - 1)]
                ):
                    continue
                value = image[z, y, x]
                cost = weight[0] * (value - mean[0]) ** 2 - weight[1] * (value - mean[1]) ** 2
                if cost < 0:
                    new[z, y, x] = 1
                elif cost > 0:
                    new[z, y, x] = 0


@njit(cache=True, nogil=True)
def balloon_step(old: Mask, new: Mask, speed: Floats, grow: bool, first: int, last: int) -> None:
    """Grow or shrink by one voxel through faces where the speed is more than a half."""
    nz, ny, nx = old.shape
    for z in range(first, last):
        for y in range(ny):
            for x in range(nx):
                new[z, y, x] = old[z, y, x]
                if not speed[z, y, x] > 0.5 or old[z, y, x] == grow:
                    continue
                if (
                    old[max(z - 1, 0), y, x] == grow
                    or old[min(z + 1, nz - 1), y, x] == grow
                    or old[z, max(y - 1, 0), x] == grow
                    or old[z, min(y + 1, ny - 1), x] == grow
                    or old[z, y, max(x - 1, 0)] == grow
                    or old[z, y, min(x + 1, nx - 1)] == grow
                ):
                    new[z, y, x] = grow


@njit(cache=True, nogil=True)
def attraction_step(
    old: Mask,
    new: Mask,
    speed: Floats,
    step: Doubles,
    first: int,
    last: int,
) -> None:
    """Move the outline down the slope of `speed`, towards edges."""
    nz, ny, nx = old.shape
    for z in range(first, last):
        z0, z2 = max(z - 1, 0), min(z + 1, nz - 1)
        for y in range(ny):
            y0, y2 = max(y - 1, 0), min(y + 1, ny - 1)
            for x in range(nx):
                x0, x2 = max(x - 1, 0), min(x + 1, nx - 1)
                new[z, y, x] = old[z, y, x]
                uz = np.int64(old[z2, y, x]) - old[z0, y, x]
                uy = np.int64(old[z, y2, x]) - old[z, y0, x]
                ux = np.int64(old[z, y, x2]) - old[z, y, x0]
                if uz == 0 and uy == 0 and ux == 0:
                    continue
                pull = (speed[z2, y, x] - speed[z0, y, x]) * uz * step[0]
                pull += (speed[z, y2, x] - speed[z, y0, x]) * uy * step[1]
                pull += (speed[z, y, x2] - speed[z, y, x0]) * ux * step[2]
                if pull > 0:
                    new[z, y, x] = 1
                elif pull < 0:
                    new[z, y, x] = 0


@njit(cache=True, nogil=True)
def curvature_step(
    old: Mask,
    new: Mask,
    segments: NDArray[np.int64],
    value: int,
    first: int,
    last: int,
) -> None:
    """Voxels of this value keep it only where a segment through them has no other.

    ``segments`` (N, K, 3) are offsets: lines of three voxels in a plane, planes of nine in space.
    Beyond the edge the outermost voxels repeat.
    """
    nz, ny, nx = old.shape
    for z in range(first, last):
        for y in range(ny):
            for x in range(nx):
                new[z, y, x] = old[z, y, x]
                if old[z, y, x] != value:
                    continue
                changed = False
                for s in range(segments.shape[0]):
                    whole = True
                    for k in range(segments.shape[1]):
                        zn = min(max(z + segments[s, k, 0], 0), nz - 1)
                        yn = min(max(y + segments[s, k, 1], 0), ny - 1)
                        xn = min(max(x + segments[s, k, 2], 0), nx - 1)
                        if old[zn, yn, xn] != value:
                            whole = False
                            break
                    if whole:
                        changed = True
                        break
                if not changed:
                    new[z, y, x] = 1 - value
