"""Outlines along the edges of pixels, through their corners, and which pixels lie in outlines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Ring = NDArray[np.float64]


def corner_rings(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Trace the pixels of a mask along their edges.

    Pixels that touch at a corner alone are parts of their own.

    Parameters
    ----------
    mask : ndarray (H, W), bool

    Returns
    -------
    list of ndarray (N, 2), int64
        Closed rings of corners x, y from the corner of the first pixel, without repeating the
        first. Around pixels they run clockwise as seen (y down), around holes the other way.
    """
    following = _edges(mask)
    rings = []
    while following:
        start = next(iter(following))
        ring, corner, heading = [], start, None
        while True:
            ends = following[corner]
            ahead = ends[0] if len(ends) == 1 else _right_turn(corner, heading, ends)
            ends.remove(ahead)
            if not ends:
                del following[corner]
            turn = (ahead[0] - corner[0], ahead[1] - corner[1])
            if turn != heading:
                ring.append(corner)
            corner, heading = ahead, turn
            if corner == start:
                break
        if len(ring) > 1 and _between(ring[-1], ring[0], ring[1]):
            ring = ring[1:]
        rings.append(np.array(ring, np.int64))
    return rings


Corner = tuple[int, int]


def _edges(mask: NDArray[np.bool_]) -> dict[Corner, list[Corner]]:
    """Directed edges between pixels in and out, the pixel on the right, by where they begin."""
    padded = np.pad(mask, 1)
    inner = padded[1:-1, 1:-1]
    sides = (
        (padded[:-2, 1:-1], (0, 0), (1, 0)),  # above: to the right
        (padded[1:-1, 2:], (1, 0), (1, 1)),  # right: down
        (padded[2:, 1:-1], (1, 1), (0, 1)),  # below: to the left
        (padded[1:-1, :-2], (0, 1), (0, 0)),  # left: up
    )
    following: dict[Corner, list[Corner]] = {}
    for other, (x0, y0), (x1, y1) in sides:
        rows, columns = np.nonzero(inner & ~other)
        for y, x in zip(rows.tolist(), columns.tolist(), strict=True):
            following.setdefault((x + x0, y + y0), []).append((x + x1, y + y1))
    return following


def _right_turn(corner: Corner, heading: Corner | None, ends: Sequence[Corner]) -> Corner:
    """Where two pixels touch at a corner, stay with the one on the right."""
    if heading is None:
        return ends[0]
    wanted = (corner[0] - heading[1], corner[1] + heading[0])
    return wanted if wanted in ends else ends[0]


def _between(before: Corner, corner: Corner, after: Corner) -> bool:
    return before[0] == corner[0] == after[0] or before[1] == corner[1] == after[1]


def filled(rings: Sequence[Ring], shape: tuple[int, int]) -> tuple[NDArray[np.bool_], Corner]:
    """Find the pixels whose centres lie in an odd number of rings: holes are rings too.

    Parameters
    ----------
    rings : sequence of ndarray (N, 2)
        Corners x, y from the corner of the first pixel.
    shape : (height, width)
        Of the plane; what lies outside is cut off.

    Returns
    -------
    mask : ndarray, bool
        Of the box around the rings.
    start : (row, column)
        Where the box begins in the plane.
    """
    from skimage.draw import polygon

    corners = np.concatenate(rings)
    low = np.clip(np.floor(corners.min(axis=0)), 0, (shape[1], shape[0])).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), low, (shape[1], shape[0])).astype(int)
    mask = np.zeros((high[1] - low[1], high[0] - low[0]), bool)
    for ring in rings:
        rows, columns = polygon(ring[:, 1] - low[1] - 0.5, ring[:, 0] - low[0] - 0.5, mask.shape)
        mask[rows, columns] ^= True
    return mask, (int(low[1]), int(low[0]))
