"""Objects found in tiles, put together so that each comes once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import smallest_integers


@dataclass(frozen=True, eq=False)
class Found:
    """One object as a tile shows it.

    Parameters
    ----------
    corner : tuple of int
        First row and column of its mask in the image.
    mask : ndarray of bool (H, W)
        Its pixels.
    score : float
        How sure the network is, 0 to 1.
    kind : int
        Its class.
    cut : bool
        Whether it touches a border of its tile that is not the image's.
    """

    corner: tuple[int, int]
    mask: NDArray[np.bool_]
    score: float
    kind: int = 1
    cut: bool = False

    @property
    def where(self) -> tuple[slice, slice]:
        (y, x), (h, w) = self.corner, self.mask.shape
        return slice(y, y + h), slice(x, x + w)


@dataclass(frozen=True, eq=False)
class Objects:
    """Label image and what is known of each object.

    Parameters
    ----------
    labels : ndarray (Y, X)
        Objects 1 to N.
    scores, kinds : ndarray (N,)
        Of object ``i + 1``.
    boxes : ndarray (N, 4)
        First row and column, and those after the last.
    """

    labels: NDArray[np.unsignedinteger]
    scores: NDArray[np.float32]
    kinds: NDArray[np.int64]
    boxes: NDArray[np.int64]


def put_together(
    found: Sequence[Found], shape: tuple[int, int], *, score: float = 0.5, overlap: float = 0.5
) -> Objects:
    """Draw objects into a label image, each once.

    The surest comes first; objects that a tile's border cuts come after all others. An object of
    which more than `overlap` lies in a drawn one, or that covers as much of a drawn one, is taken
    for the same: if both are cut they are parts of one and are joined, else it is left out. Where
    different objects overlap, the pixels stay with the first.

    Parameters
    ----------
    found : sequence of Found
        Of all tiles.
    shape : tuple of int
        Of the image.
    score : float
        Less sure objects are left out.
    overlap : float
        Common pixels over the pixels of the smaller object.

    Returns
    -------
    Objects
    """
    canvas = np.zeros(shape, np.int32)
    merged: list[Found] = []
    areas: list[int] = [0]
    for one in sorted(found, key=lambda f: (f.cut, -f.score)):
        if one.score < score or not one.mask.any():
            continue
        under = canvas[one.where]
        same, common = _most_common(under[one.mask])
        area = int(one.mask.sum())
        if common > overlap * min(area, areas[same] if same else area):
            if one.cut and merged[same - 1].cut:
                areas[same] += _draw(under, one.mask, same)
            continue
        drawn = _draw(under, one.mask, len(merged) + 1)
        if drawn:
            merged.append(one)
            areas.append(drawn)
    return _objects(canvas, merged)


def _most_common(values: NDArray[np.int32]) -> tuple[int, int]:
    """The object that most of some pixels belong to, and how many do."""
    drawn = values[values > 0]
    if not drawn.size:
        return 0, 0
    numbers, counts = np.unique(drawn, return_counts=True)
    most = int(counts.argmax())
    return int(numbers[most]), int(counts[most])


def _draw(under: NDArray[np.int32], mask: NDArray[np.bool_], number: int) -> int:
    free = mask & (under == 0)
    under[free] = number
    return int(free.sum())


def _objects(canvas: NDArray[np.int32], merged: Sequence[Found]) -> Objects:
    from napari_segment.deep.detection.anchors import boxes_of

    return Objects(
        canvas.astype(smallest_integers(len(merged))),
        np.array([f.score for f in merged], np.float32),
        np.array([f.kind for f in merged], np.int64),
        boxes_of(canvas)[:, 1:],
    )
