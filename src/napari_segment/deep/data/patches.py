"""Patches: where they are drawn, as a pure function of a seed, so that each can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.planning.slabs import slabs

_MAX_CENTRES = 512  # voxels of each class that are stored to draw from


@dataclass(frozen=True, eq=False)
class Sample:
    """One case, ready to draw patches from.

    Parameters
    ----------
    image : ndarray of float32 (C, *S)
        Normalised.
    target : ndarray (K, *S)
        One channel of class indices (int16, -1 unlabelled), or maps in [0, 1] (float32, -1
        unlabelled).
    centres : mapping of int to ndarray (N, D)
        Some voxels of each class, to draw patches around.
    """

    image: NDArray[np.float32]
    target: NDArray[Any]
    centres: Mapping[int, NDArray[np.int32]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.image.shape[1:]


def choose_centres(
    target: NDArray[Any], seed: int, *, together: bool = False
) -> dict[int, NDArray[np.int32]]:
    """Choose some voxels of each class of a target ``(K, *S)``, or of all of them together."""
    rng = np.random.default_rng(seed)
    parts = []
    for rows in slabs(target.shape[1:]):
        marked = np.rint(target[0, rows]).astype(np.int32)
        parts.append(
            _centres_in_slab(np.minimum(marked, 1) if together else marked, rows.start, rng)
        )
    return {
        value: _merged([part[value] for part in parts if value in part], rng)
        for value in sorted(set().union(*parts))
    }


def _centres_in_slab(
    marked: NDArray[np.int32], first: int, rng: np.random.Generator
) -> dict[int, tuple[int, NDArray[np.int32]]]:
    """Of each class in a slab: how many voxels there are, and some of them."""
    flat = marked.ravel()
    centres_of = {}
    for value in np.unique(flat):
        if value > 0:
            where = np.flatnonzero(flat == value)
            count = where.size
            where = rng.choice(where, _MAX_CENTRES) if count > _MAX_CENTRES else where
            centres = np.stack(np.unravel_index(where, marked.shape), 1).astype(np.int32)
            centres[:, 0] += first
            centres_of[int(value)] = (count, centres)
    return centres_of


def _merged(
    parts: Sequence[tuple[int, NDArray[np.int32]]], rng: np.random.Generator
) -> NDArray[np.int32]:
    """Some centres out of several slabs, of each as many as it has voxels."""
    centres = np.concatenate([p for _, p in parts])
    if len(centres) <= _MAX_CENTRES:
        return centres
    weights = np.concatenate([np.full(len(p), count / len(p)) for count, p in parts])
    chosen = rng.choice(len(centres), _MAX_CENTRES, p=weights / weights.sum())
    return np.asarray(centres[chosen])


def draw_corner(
    sample: Sample, patch: Sequence[int], balance: float, rng: np.random.Generator
) -> tuple[int, ...]:
    """Draw the first corner of a patch; it may lie outside the image.

    Parameters
    ----------
    sample : Sample
        The case.
    patch : sequence of int
        Sides of the patch.
    balance : float
        Part of the patches that are drawn around a voxel of a class, each class as often.
    rng : Generator
        The source of chance.

    Returns
    -------
    tuple of int
        Along an axis that is shorter than the patch, the image stands anywhere in the patch.
    """
    shape, sides = np.array(sample.shape), np.array(patch)
    least, most = np.minimum(0, shape - sides), np.maximum(0, shape - sides)
    # A margin, so that borders of large images are not seen at the borders of patches alone.
    margin = np.where(most > 0, sides // 6, 0)
    corner = rng.integers(least - margin, most + margin + 1)
    if sample.centres and rng.random() < balance:
        value = list(sample.centres)[rng.integers(len(sample.centres))]
        around = sample.centres[value][rng.integers(len(sample.centres[value]))]
        near = around - rng.integers(sides // 4, sides - sides // 4)
        corner = np.clip(near, least - margin, most + margin)
    return tuple(int(c) for c in corner)


def cut(
    array: NDArray[Any], corner: Sequence[int], patch: Sequence[int], outside: int | None = None
) -> NDArray[Any]:
    """Cut a patch out of ``(K, *S)``, which may reach beyond it.

    Parameters
    ----------
    array : ndarray (K, *S)
        Image or target.
    corner, patch : sequence of int
        First voxel, which may be negative, and sides.
    outside : int, optional
        What stands outside the array; by default its border is repeated.

    Returns
    -------
    ndarray (K, *patch)
    """
    stop = [c + p for c, p in zip(corner, patch, strict=True)]
    inside = [
        (min(max(c, 0), n - 1), max(min(e, n), 1))
        for c, e, n in zip(corner, stop, array.shape[1:], strict=True)
    ]
    part = array[(slice(None), *(slice(a, b) for a, b in inside))]
    pads = [(a - c, e - b) for (a, b), c, e in zip(inside, corner, stop, strict=True)]
    if not any(p for pad in pads for p in pad):
        return part
    if outside is None:
        return np.pad(part, [(0, 0), *pads], mode="edge")
    return np.pad(part, [(0, 0), *pads], constant_values=outside)


def order(count: int, wanted: int, seed: int, epoch: int) -> list[int]:
    """Return the cases of an epoch, a pure function of seed and epoch.

    Parameters
    ----------
    count : int
        Number of cases.
    wanted : int
        Patches in an epoch. Each case comes up equally often, but for the rest of the division.
    seed, epoch : int
        Of the training.

    Returns
    -------
    list of int
        `wanted` indices of cases.
    """
    rng = np.random.default_rng((seed, epoch, 1))
    rounds = -(-wanted // count)
    return [int(i) for _ in range(rounds) for i in rng.permutation(count)][:wanted]


def generator(seed: int, epoch: int, index: int) -> np.random.Generator:
    """Return the source of chance of one patch."""
    return np.random.default_rng((seed, epoch, 2, index))
