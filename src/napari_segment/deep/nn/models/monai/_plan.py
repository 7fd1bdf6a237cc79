"""Choose the kernels and strides that suit a voxel spacing and a patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_HALVINGS = 6
LEAST_SIDE = 4  # voxels that must be left of an axis at the bottom


@dataclass(frozen=True)
class Plan:
    """Kernel and stride of each level, from the finest, whose stride is 1."""

    kernels: tuple[tuple[int, ...], ...]
    strides: tuple[tuple[int, ...], ...]

    @property
    def total(self) -> tuple[int, ...]:
        """Return the product of the strides along each axis."""
        return tuple(int(n) for n in np.prod(self.strides, axis=0))


def plan(patch: Sequence[float], spacing: Sequence[float]) -> Plan:
    """Halve the finely sampled axes first, until all are about equally coarse.

    Parameters
    ----------
    patch : sequence of int
        Sides of a patch in voxels.
    spacing : sequence of float
        Distance of neighbours along each axis.

    Returns
    -------
    Plan
        At least three levels, and no more than six halvings.

    Examples
    --------
    >>> plan((16, 64, 64), (4, 1, 1)).strides
    ((1, 1, 1), (1, 2, 2), (1, 2, 2), (2, 2, 2), (2, 2, 2))
    """
    side, distance = np.array(patch, float), np.array(spacing, float)
    kernels: list[tuple[int, ...]] = []
    strides: list[tuple[int, ...]] = [(1,) * len(side)]
    full = np.zeros(len(side), bool)  # axes that have had a kernel of 3 keep it
    while len(strides) <= MAX_HALVINGS:
        full |= distance / distance.min() < 2
        halve = _halved(side, distance)
        if not halve.any():
            break
        kernels.append(_threes(full))
        strides.append(tuple(int(n) for n in np.where(halve, 2, 1)))
        side, distance = side / np.where(halve, 2, 1), distance * np.where(halve, 2, 1)
    while len(strides) < 3:  # the least that the network can be built with
        kernels.append(_threes(full))
        strides.append((1,) * len(side))
    return Plan((*kernels, (3,) * len(side)), tuple(strides))


def _halved(side: np.ndarray, distance: np.ndarray) -> np.ndarray:
    able = side >= 2 * LEAST_SIDE
    if not able.any():
        return able
    return able & (distance / distance[able].min() < 2)


def _threes(full: np.ndarray) -> tuple[int, ...]:
    return tuple(int(n) for n in np.where(full, 3, 1))
