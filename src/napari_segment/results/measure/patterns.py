"""What a 2×2×2 pattern of voxels adds to the Euler number and to the surface of an object."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DIRECTIONS = 4096  # from which a plane may be seen, to fit the weights


def window_weights(spacing: tuple[float, ...]) -> NDArray[np.float64]:
    """Return the contributions of each pattern, (256, 2): to the Euler number and to the surface.

    Parameters
    ----------
    spacing : tuple of float
        Two or three numbers.

    Notes
    -----
    The bits of a pattern are the corners of a window, ``4 dz + 2 dy + dx``; without Z only those
    with dz = 1 are used. The surface (in 2-D the perimeter) follows Crofton's formula: it is
    a weighted number of intersections with the lines that connect neighbouring voxels. The
    weights of the 13 (in 2-D 4) directions are fitted so that planes of every orientation get
    their area, whatever the spacing. See G. Lehmann and D. Legland, Insight Journal (2012),
    doi:10.54294/vq1ooz.
    """
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    patterns = bits.astype(bool).reshape(256, 2, 2, 2)
    return np.stack([_euler(patterns, len(spacing)), _surface(patterns, spacing)], axis=1)


def neighbour_pairs(ndim: int) -> NDArray[np.int64]:
    """Return the pairs of corners of a window, each once, as steps back from its last corner.

    Returns
    -------
    array (P, 2, 3)
        13 pairs in 3-D, 4 in 2-D: those that share no smaller window.
    """
    corners = [c for c in product((0, 1), repeat=3) if ndim == 3 or c[0] == 0]
    pairs = [(a, b) for a, b in combinations(corners, 2) if not np.logical_and(a, b).any()]
    return np.array(pairs)


def _euler(patterns: NDArray[np.bool_], ndim: int) -> NDArray[np.float64]:
    """Count vertices − edges + faces − voxels of a union of closed voxels, seen from a vertex.

    A vertex belongs to one window, an edge to 2, a face to 4 and a voxel to 8.
    """
    if ndim == 2:
        patterns = patterns[:, 1:]
    axes = (1, 2, 3)[3 - ndim :]
    total = np.zeros(len(patterns))
    for touched in product((False, True), repeat=ndim):
        # Along the axes not touched, a face, edge or vertex lies between two voxels.
        between = tuple(axis for axis, t in zip(axes, touched, strict=True) if not t)
        present = patterns.any(axis=between) if between else patterns
        sign, parts = (-1) ** sum(touched), 2 ** sum(touched)
        total += sign / parts * present.reshape(len(patterns), -1).sum(1)
    return total


def _surface(patterns: NDArray[np.bool_], spacing: tuple[float, ...]) -> NDArray[np.float64]:
    pairs = 1 - neighbour_pairs(len(spacing))
    lengths = np.array((0.0,) * (3 - len(spacing)) + spacing)
    weights = _direction_weights((pairs[:, 1] - pairs[:, 0]) * lengths)
    cell = float(np.prod(spacing))
    total = np.zeros(len(patterns))
    for (a, b), weight in zip(pairs, weights, strict=True):
        total += cell * weight * (patterns[:, *a] != patterns[:, *b])
    return total


def _direction_weights(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights with which the lines along the vectors see every plane with its area.

    A plane of unit area and normal n cuts ``|n · v|`` / (volume of a voxel) steps v.
    """
    from scipy.optimize import nnls

    flat = not vectors[:, 0].any()
    i = (np.arange(_DIRECTIONS) + 0.5) / _DIRECTIONS
    angle = np.pi * (i if flat else (1 + 5**0.5) * i * _DIRECTIONS)  # evenly spread directions
    up = np.zeros_like(i) if flat else 1 - 2 * i
    across = np.sqrt(1 - up**2)
    normals = np.stack([up, across * np.cos(angle), across * np.sin(angle)], axis=1)
    seen = np.abs(normals @ vectors.T)
    weights, _ = nnls(seen, np.ones(_DIRECTIONS))
    fitted: NDArray[Any] = np.asarray(weights / (seen @ weights).mean())
    return fitted
