"""Split what touches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from threading import Lock
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.blocks import (
    Place,
    boxes,
    is_lazy,
    label,
    map_regions,
    put_together,
    reduce_blocks,
    regions,
)
from napari_segment.blocks.slabs import over_slabs, threads
from napari_segment.errors import InputError
from napari_segment.image import smallest_integers
from napari_segment.registry import cleanups
from napari_segment.results.cleanup.parts import Spacing, full

_LEVELS_PER_VOXEL = 64  # steps of the distance landscape within the smallest spacing
_LEVELS = 65534  # steps of an intensity landscape of floats
_LEAST = 1 << 16  # voxels of boxes that are worth a call
_LARGE = 1 << 18  # voxels of a box, from which on more than 255 pieces are likely


@cleanups.add(
    "split_touching",
    title="Split touching",
    gives="objects",
    group="split",
)
def split_touching(
    labels: Any,
    image: Any = None,
    spacing: Spacing = (),
    *,
    by: Literal["distance", "intensity"] = "distance",
    depth: Annotated[float, Field(ge=0)] = 0.1,
    units: Literal["share", "absolute"] = "share",
    smoothing: Annotated[float, Field(ge=0, le=100)] = 1,
) -> Any:
    """Split touching objects by a watershed, at necks or along dark lines.

    The landscape is the distance to the background (in units of the spacing, so anisotropic
    voxels are respected), or the image itself. Each peak is an object; of two peaks, the lower
    is no object of its own if it hardly rises above the pass between them. This is the
    watershed of the h-maxima, found in one flooding.

    Parameters
    ----------
    labels : array (Y, X) or (Z, Y, X)
        A mask, classes or objects; each component of equal label is split.
    image : array of the same shape, optional
        Intensities, for ``by="intensity"``: objects brighter than what parts them.
    spacing : tuple of float
        Distance between voxels along each axis.
    by : {"distance", "intensity"}
        Split at necks, or along dark lines.
    depth : float
        How far a peak must rise above the pass to a higher one.
    units : {"share", "absolute"}
        `depth` as a share (0 to 1) of the peak's own height, or as a distance in the unit of the
        spacing (for intensities: in grey values).
    smoothing : float
        Standard deviation of a Gaussian that smooths the landscape first, in voxels of the finest
        axis; round in space.

    Returns
    -------
    array
        Objects, numbered by first voxel. The border of the image parts nothing and is no
        background.

    References
    ----------
    F. Meyer, Topographic distance and watershed lines, Signal Processing 38, 113 (1994),
    doi:10.1016/0165-1684(94)90060-4. M. Grimaud, New measure of contrast: the dynamics, Proc. SPIE
    1769, 292 (1992), doi:10.1117/12.60650.

    Examples
    --------
    >>> dumbbell = np.ones((5, 11), bool)
    >>> dumbbell[[0, 1, 3, 4], 5] = False
    >>> int(split_touching(dumbbell).max())
    2
    """
    if not labels.size:
        return labels.astype(np.uint8)
    spacing = full(spacing, labels.ndim)
    low, step = (0.0, min(spacing) / _LEVELS_PER_VOXEL)
    if by == "intensity":
        low, step = _intensity_steps(labels, _checked(image, labels), smoothing)
    else:
        image = None
    absolute, share = (0.0, depth) if units == "share" else (depth, 0.0)
    rules = _Rules(labels.shape, spacing, smoothing, low, step, absolute, share)
    if is_lazy(labels) or is_lazy(image):
        return _split_lazily(labels, image, rules)
    place = Place((0,) * labels.ndim, labels.shape, (0,) * labels.ndim, labels.shape)
    return _split(place, labels, image, rules=rules)[0]


@dataclass(frozen=True)
class _Rules:
    """What splitting needs to know beside the arrays: of the whole image, however it is cut."""

    shape: tuple[int, ...]
    spacing: Spacing
    smoothing: float
    low: float  # of the landscape, if that is the image
    step: float  # of the landscape's levels
    depth: float  # of the landscape
    share: float

    @property
    def limit(self) -> float:
        """A distance where one label is all there is: a plain as high as the image is long."""
        return float(np.linalg.norm(np.multiply(self.shape, self.spacing)))

    def kernels(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Weights of the Gaussian along Z, Y and X, and their radii; planes stay along Z."""
        sigmas = [self.smoothing * min(self.spacing) / s for s in self.spacing]
        weights = list(map(_gaussian, [0.0] * (3 - len(sigmas)) + sigmas))
        radii = np.array([len(w) - 1 for w in weights])
        return np.stack([np.pad(w, (0, radii.max() + 1 - len(w))) for w in weights]), radii


def _gaussian(sigma: float) -> NDArray[np.float32]:
    """Weights of distance 0, 1, … up to four standard deviations."""
    distance = np.arange(int(4 * sigma + 0.5) + 1)
    weights = np.exp(-0.5 * (distance / max(sigma, 1e-9)) ** 2)
    return np.asarray(weights / (2 * weights.sum() - weights[0]), np.float32)


def _checked(image: Any, labels: Any) -> Any:
    if image is None or image.shape != labels.shape:
        given = "none" if image is None else f"one of shape {image.shape}"
        raise InputError(
            f"Splitting by intensity needs the image of shape {labels.shape}; {given} was given. "
            "Give it, or use by='distance'."
        )
    return image


def _intensity_steps(labels: Any, image: Any, smoothing: float) -> tuple[float, float]:
    """The smallest intensity in labels, and the step of the levels above it."""
    low, high = reduce_blocks(_range, labels, image, merge=_widest)
    if low > high:
        return 0.0, 1.0
    if not np.isfinite([low, high]).all():
        raise InputError(
            "Splitting by intensity needs finite intensities, but some are NaN or inf."
        )
    exact = image.dtype.kind in "bui" and not smoothing and high - low <= _LEVELS
    return low, 1.0 if exact else (high - low) / _LEVELS or 1.0


def _range(_place: Place, labels: NDArray[Any], image: NDArray[Any]) -> tuple[float, float]:
    inside = image[labels != 0]
    return (float(inside.min()), float(inside.max())) if inside.size else (np.inf, -np.inf)


def _widest(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    lows, highs = zip(*parts, strict=True)
    return float(np.min(lows)), float(np.max(highs))  # these pass NaN on


# ---- in memory ----


def _split(
    place: Place, labels: NDArray[Any], image: NDArray[Any] | None = None, *, rules: _Rules
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Split all components of labels, which are those of a place in the image.

    Returns the objects, numbered by first voxel, and the flat indices of these in `labels`.
    """
    from napari_segment.results.cleanup._split import number_pieces

    parts = _volume(label(labels)[0])
    parts = parts.astype(np.uint16) if parts.dtype == np.uint8 else parts  # one kernel less
    splitting = _Splitting(parts, image, place, rules)
    splitting.run()
    parts = splitting.parts
    starts = np.concatenate([[0], np.cumsum(splitting.counts)])
    count = int(starts[-1]) + splitting.written
    dtype = smallest_integers(count)
    objects = parts if parts.dtype == dtype else np.empty(parts.shape, dtype)
    first, number = np.empty(count, np.int64), np.zeros(count, np.int64)
    number_pieces(parts.ravel(), splitting.pieces.ravel(), starts, objects.ravel(), first, number)
    return objects.reshape(labels.shape), first


class _Splitting:
    """The components of an image under way to pieces.

    Small components are split many in one call, and the numbers of their pieces within them lie
    in `pieces`. Of large ones (and of those with more pieces than a byte can number) the pieces
    are numbered through and written into `parts` itself, behind the numbers of the components: so
    memory beside the image is one word for each voxel of the boxes that threads are at.
    """

    def __init__(
        self, parts: NDArray[Any], image: NDArray[Any] | None, place: Place, rules: _Rules
    ) -> None:
        self.parts, self.rules = parts, rules
        self.image = None if image is None else _volume(image)
        self.boxes = boxes(parts)[1]
        self.ends = _ends(place, self.boxes)
        self.pieces = np.zeros(parts.shape, np.uint8)
        self.counts = np.zeros(len(self.boxes), np.int64)
        self.written = 0  # pieces in parts
        self._lock = Lock()

    def run(self) -> None:
        """Split all components, each thread some."""
        volumes = np.diff(self.boxes, axis=2).prod(axis=(1, 2))
        large = np.flatnonzero(volumes >= _LARGE)
        small = np.flatnonzero(volumes < _LARGE)
        alone = large[np.argsort(-volumes[large], kind="stable")]
        shares = [*alone[:, None], *_shares(small, volumes[small])]
        done = over_slabs(lambda i, _: self._split(shares[i], i < len(alone)), len(shares), 1)
        crowded = np.concatenate([np.empty(0, np.int64), *done])
        if crowded.size:
            self.parts = self.parts.astype(np.uint32)
            for i in crowded:
                self._split(np.array([i]), True)

    def _split(self, chosen: NDArray[np.int64], alone: bool) -> NDArray[np.int64]:
        """Split components, one `alone` or many; those whose pieces found no room."""
        from napari_segment.results.cleanup._split import write_pieces

        boxes, layout, words, counts = self._in_words(chosen)
        if not alone:
            fits = counts <= np.iinfo(self.pieces.dtype).max
            write_pieces(boxes, layout, fits - 1, words, self.pieces)
            self.counts[chosen] = counts * fits
            return chosen[~fits]
        with self._lock:
            first = len(self.boxes) + 1 + self.written
            if first + counts[0] - 1 > np.iinfo(self.parts.dtype).max:
                return chosen
            self.written += int(counts[0])
        write_pieces(boxes, layout, np.array([first]), words, self.parts)
        return chosen[:0]

    def _in_words(self, chosen: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        """Boxes of some components, how they lie in the words, these, and numbers of pieces."""
        from napari_segment.results.cleanup import _landscape, _split

        rules, boxes, ends = self.rules, self.boxes[chosen], self.ends[chosen]
        layout, lines, size = _layout(boxes)
        land = np.empty(size, np.float32)
        if self.image is None:
            spacing = np.array((1.0,) * (3 - len(rules.spacing)) + rules.spacing)
            room = np.empty((4, int(lines[:, :, 0].max()) + 2))
            _landscape.insides(self.parts, chosen + 1, boxes, layout, land)
            _landscape.distances(lines, ends, layout, spacing, land, room)
            np.minimum(np.sqrt(land, out=land), rules.limit, out=land)
        else:
            _landscape.intensities(
                self.parts, chosen + 1, boxes, layout, self.image, rules.low, land
            )
        weights, radii = rules.kernels()
        if radii.any():
            wide = (lines[:, :, 0] + 2 * radii[::-1]) * np.where([1, 0, 0], 1, lines[:, :, 4])
            held = np.empty(int(wide.max()), np.float32)
            _landscape.smooth(lines, ends, layout, weights, radii, land, held)
        words = land.view(np.int32) if size <= _split.LARGEST else np.empty(size, np.int64)
        tops, counts = np.empty((2, len(chosen)), np.int64)
        factors = np.empty(len(chosen))
        _landscape.to_levels(
            self.parts, chosen + 1, boxes, layout, rules.step, _split.LEVELS - 1, land, words,
            tops, factors,
        )  # fmt: skip
        del land
        _split.find_peaks(layout, words)
        lists = np.zeros((2, _split.LEVELS), words.dtype)
        _split.flood(layout, tops, factors, rules.depth, rules.share, lists, words)
        _split.number(layout, words, counts)
        return boxes, layout, words, counts


def _layout(boxes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """How boxes and their lines lie in a flat array, as kernels want it, and the array's size."""
    nz, ny, nx = np.diff(boxes, axis=2)[:, :, 0].T
    row = nx + 1
    plane = (ny + 1) * row
    guard = np.where(nz > 1, plane, row)
    end = np.cumsum(nz * plane + 2 * guard)
    begin = np.concatenate([[0], end[:-1]])
    layout = np.stack([begin + guard, np.where(nz > 1, plane, 0), row, begin, end], 1)
    one = np.ones_like(nx)
    lines = np.stack(
        [
            [nx, one, nz, plane, ny, row],
            [ny, row, nz, plane, nx, one],
            [nz, plane, ny, row, nx, one],
        ]
    )
    return layout, np.ascontiguousarray(lines.transpose(2, 0, 1)), int(end[-1])


def _shares(chosen: NDArray[np.int64], volumes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Components for one thread after another: about as many voxels each."""
    if not len(chosen):
        return []
    total = np.cumsum(volumes)
    wanted = min(max(int(total[-1]) // (4 * threads()), _LEAST), _LARGE)
    return np.split(chosen, np.flatnonzero(np.diff(total // wanted)) + 1)


def _ends(place: Place, found: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the image ends at either side of boxes in a place; it does along one plane's Z."""
    flat = 3 - len(place.shape)
    start, stop, shape = (
        np.array((fill,) * flat + tuple(sides))
        for fill, sides in ((0, place.start), (1, place.stop), (1, place.shape))
    )
    before = (found[:, :, 0] == 0) & (start == 0)
    behind = (found[:, :, 1] == stop - start) & (stop == shape)
    return np.stack([before, behind], axis=2)


def _volume(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array if array.ndim == 3 else array[None])


# ---- block by block ----


def _split_lazily(labels: Any, image: Any, rules: _Rules) -> Any:
    """Split region by region; components that reach across blocks are gathered from them."""
    import dask
    import dask.array as da

    components = label(da.asarray(labels))[0]
    arrays = [] if image is None else [da.asarray(image).rechunk(components.chunks)]
    found = regions(*boxes(components), components.chunks)
    results = map_regions(partial(_split_region, rules=rules), found, components, *arrays)
    firsts = dask.compute([dask.delayed(itemgetter(1))(result) for result in results])[0]
    ranked = np.sort(np.concatenate([np.empty(0, np.int64), *firsts]))
    dtype = smallest_integers(len(ranked))
    tables = [np.searchsorted(ranked, first) + 1 for first in firsts]
    numbered = [
        dask.delayed(_numbered)(result, np.concatenate([[0], table]).astype(dtype))
        for result, table in zip(results, tables, strict=True)
    ]
    return put_together(_painted, found, numbered, components, dtype=dtype)


def _split_region(
    place: Place, labels: NDArray[Any], image: NDArray[Any] | None = None, *, rules: _Rules
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """`_split`, with the first voxels' indices in the whole image."""
    objects, first = _split(place, labels, image, rules=rules)
    inside = np.unravel_index(first, labels.shape)
    index = tuple(i + s for i, s in zip(inside, place.start, strict=True))
    return objects, np.ravel_multi_index(index, place.shape).astype(np.int64)


def _numbered(result: tuple[NDArray[Any], Any], table: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(table[result[0]])


def _painted(block: NDArray[Any], regions: Sequence[tuple[Any, Any, NDArray[Any]]]) -> NDArray[Any]:
    """The objects of all regions in a block; each voxel is of one region."""
    dtype = regions[0][2].dtype if regions else np.uint8
    out = np.zeros(block.shape, dtype)
    for here, there, objects in regions:
        out[here] |= objects[there]
    return out
