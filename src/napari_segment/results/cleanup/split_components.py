"""Split components that are in memory, each in a box of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import Location, Runs, runs
from napari_segment.blocks.slabs import over_slabs
from napari_segment.image import smallest_integers
from napari_segment.results.cleanup.instances import Spacing
from napari_segment.runtime import threads

_LEAST = 1 << 16  # voxels of boxes that are worth a call
_LARGE = 1 << 18  # voxels of a box that is worth a call of its own


@dataclass(frozen=True)
class SplitParameters:
    """Parameters of splitting besides the arrays; those of the whole image, however it is cut."""

    shape: tuple[int, ...]
    spacing: Spacing
    smoothing: float
    low: float  # of the landscape, if that is the image
    step: float  # of the landscape's levels
    depth: float  # of the landscape
    relative_depth: float  # of the peak's own height

    @property
    def limit(self) -> float:
        """A distance where one label is all there is: a plain as high as the image is long."""
        return float(np.linalg.norm(np.multiply(self.shape, self.spacing)))

    def kernels(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the Gaussian weights along Z, Y and X, and their radii; planes stay along Z."""
        sigmas = [self.smoothing * min(self.spacing) / s for s in self.spacing]
        weights = list(map(_gaussian, [0.0] * (3 - len(sigmas)) + sigmas))
        radii = np.array([len(w) - 1 for w in weights])
        return np.stack([np.pad(w, (0, radii.max() + 1 - len(w))) for w in weights]), radii


def _gaussian(sigma: float) -> NDArray[np.float32]:
    """Return the weights of distance 0, 1, … up to four standard deviations."""
    distance = np.arange(int(4 * sigma + 0.5) + 1)
    weights = np.exp(-0.5 * (distance / max(sigma, 1e-9)) ** 2)
    return np.asarray(weights / (2 * weights.sum() - weights[0]), np.float32)


def split(
    location: Location,
    labels: NDArray[Any],
    image: NDArray[Any] | None,
    parameters: SplitParameters,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Split all components of labels, which are those of a place in the image.

    Returns the objects, numbered by first voxel, and the flat indices of these in `labels`.
    """
    shape = (1,) * (3 - labels.ndim) + labels.shape
    work = _Splitting(runs(labels), shape, image, location, parameters)
    pieces = over_slabs(lambda i, _: work.pieces(work.shares[i]), len(work.shares), 1)
    first = np.concatenate([np.empty(0, np.int64), *(p.first for p in pieces)])
    order = np.argsort(first, kind="stable")
    number = np.empty(len(first), smallest_integers(len(first)))
    number[order] = np.arange(1, len(first) + 1)
    return work.painted(pieces, number).reshape(labels.shape), first[order]


@dataclass
class _Pieces:
    """The pieces of the voxels of some components, in the order of the components' runs."""

    components: NDArray[np.int64]
    begins: NDArray[np.int64]  # of the pieces of each component, and how many there are
    first: NDArray[np.int64]  # flat index of each piece's first voxel
    memory: NDArray[Any]  # begins with the list
    dtype: np.dtype[Any]
    size: int

    def listed(self) -> NDArray[Any]:
        """Return the piece of each voxel, from 0 in each component."""
        return self.memory.view(self.dtype)[: self.size]

    def resize(self, nbytes: int) -> None:
        """Change the size of the memory; no view on it may be left."""
        self.memory.resize(-(-nbytes // self.memory.itemsize), refcheck=False)


class _Splitting:
    """The components of an image under way to pieces.

    What is stored of a component is one number for each of its voxels: its piece, in one byte if it
    has at most 256. Large components are split in one word for each voxel of their box, small ones
    many in one call. The list of a large component takes the beginning of the memory of its words,
    the rest of which is given back; the memory of the largest becomes that of the result.
    """

    def __init__(
        self,
        components: Runs,
        shape: tuple[int, ...],
        image: NDArray[Any] | None,
        location: Location,
        parameters: SplitParameters,
    ) -> None:
        self.runs, self.shape, self.parameters = components, shape, parameters
        self.image = None if image is None else np.ascontiguousarray(image).reshape(-1)
        self.boxes = _boxes(components, shape)
        self.ends = _ends(location, self.boxes)
        volumes = np.diff(self.boxes, axis=2).prod(axis=(1, 2))
        large, small = np.flatnonzero(volumes >= _LARGE), np.flatnonzero(volumes < _LARGE)
        alone = large[np.argsort(-volumes[large], kind="stable")]
        self.alone = len(alone)
        self.shares = [*alone[:, None], *_shares(small, volumes[small])]

    def pieces(self, chosen: NDArray[np.int64]) -> _Pieces:
        """Split some components."""
        from napari_segment.results.cleanup.landscape_kernels import locate_runs
        from napari_segment.results.cleanup.split_kernels import list_pieces

        at, lengths, bounds = self._runs_of(chosen)
        layout, lines, size = _layout(self.boxes[chosen])
        offsets = np.empty_like(at)
        locate_runs(at, bounds, self.boxes[chosen], layout, *self.shape[1:], offsets)
        memory, states, counts = self._states(
            chosen, (offsets, lengths, bounds, at), layout, lines, size
        )
        begins = np.concatenate([[0], np.cumsum(counts)])
        first = np.empty(begins[-1], np.int64)
        dtype = smallest_integers(int(counts.max()) - 1)
        pieces = _Pieces(chosen, begins, first, memory, dtype, int(lengths.sum()))
        list_pieces(offsets, lengths, bounds, at, begins, states, pieces.listed(), first)
        del states
        pieces.resize(pieces.size * dtype.itemsize)
        return pieces

    def painted(self, parts: Sequence[_Pieces], number: NDArray[Any]) -> NDArray[Any]:
        """Return the flat image of the numbers of all pieces, those of each share in turn."""
        from napari_segment.results.cleanup.split_kernels import paint_pieces, spread_pieces

        voxels = int(np.prod(self.shape))
        bounds_of_pieces = np.cumsum([0, *(len(p.first) for p in parts)])
        rest = range(1 if self.alone else 0, len(parts))
        if self.alone:
            at, lengths, _ = self._runs_of(parts[0].components)
            parts[0].resize(max(voxels * number.itemsize, parts[0].size * parts[0].dtype.itemsize))
            out = parts[0].memory.view(number.dtype)[:voxels]
            spread_pieces(lengths, at, parts[0].listed(), number[: bounds_of_pieces[1]], out)
        else:
            out = np.zeros(voxels, number.dtype)

        def paint(i: int, _: int) -> None:
            pieces, own = (
                parts[rest[i]],
                number[bounds_of_pieces[rest[i]] : bounds_of_pieces[rest[i] + 1]],
            )
            at, lengths, bounds = self._runs_of(pieces.components)
            paint_pieces(lengths, bounds, at, pieces.begins, pieces.listed(), own, out)

        over_slabs(paint, len(rest), 1)
        return out

    def _runs_of(self, chosen: NDArray[np.int64]) -> tuple[NDArray[Any], ...]:
        """Return the first positions and lengths of some components' runs, and whose they are."""
        starts = self.runs.starts
        bounds = np.concatenate([[0], np.cumsum(starts[chosen + 1] - starts[chosen])])
        if len(chosen) == 1:
            own = slice(starts[chosen[0]], starts[chosen[0] + 1])
            return self.runs.at[own], self.runs.length[own], bounds
        index = np.repeat(starts[chosen] - bounds[:-1], np.diff(bounds)) + np.arange(bounds[-1])
        return self.runs.at[index], self.runs.length[index], bounds

    def _states(
        self, chosen: NDArray[np.int64], own_runs: tuple[NDArray[Any], ...], layout: NDArray[Any],
        lines: NDArray[Any], size: int,
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.int64]]:  # fmt: skip
        """Return the numbers of pieces, the memory that is theirs, and how many there are."""
        from napari_segment.results.cleanup import landscape_kernels, split_kernels

        parameters, ends = self.parameters, self.ends[chosen]
        offsets, lengths, bounds, at = own_runs
        land = np.empty(size, np.float32)
        if self.image is None:
            spacing = np.array((1.0,) * (3 - len(parameters.spacing)) + parameters.spacing)
            buffer = np.empty((4, int(lines[:, :, 0].max()) + 2))
            landscape_kernels.insides(offsets, lengths, land)
            landscape_kernels.distances(lines, ends, layout, spacing, land, buffer)
            np.minimum(np.sqrt(land, out=land), parameters.limit, out=land)
        else:
            landscape_kernels.intensities(offsets, lengths, at, self.image, parameters.low, land)
        weights, radii = parameters.kernels()
        if radii.any():
            wide = (lines[:, :, 0] + 2 * radii[::-1]) * np.where([1, 0, 0], 1, lines[:, :, 4])
            held = np.empty(int(wide.max()), np.float32)
            landscape_kernels.smooth(lines, ends, layout, weights, radii, land, held)
        memory = land if size <= split_kernels.LARGEST else np.empty(size, np.int64)
        states = memory.view(np.int32) if memory is land else memory
        tops, counts = np.empty((2, len(chosen)), np.int64)
        factors = np.empty(len(chosen))
        landscape_kernels.to_levels(
            offsets, lengths, bounds, layout, parameters.step, split_kernels.LEVELS - 1, land,
            states, tops, factors,
        )  # fmt: skip
        del land
        split_kernels.find_peaks(layout, states)
        lists = np.zeros((2, split_kernels.LEVELS), states.dtype)
        split_kernels.flood(
            layout, tops, factors, parameters.depth, parameters.relative_depth, lists, states
        )
        split_kernels.number(layout, states, counts)
        return memory, states, counts


def _boxes(components: Runs, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the bounding boxes of components: the first index and one past the last."""
    from napari_segment.results.cleanup.landscape_kernels import bound_runs

    boxes = np.zeros((len(components.starts) - 1, 3, 2), np.int64)
    boxes[:, :, 0] = shape
    bound_runs(components.at, components.length, components.starts, *shape[1:], boxes)
    return boxes


def _layout(boxes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Lay boxes and their lines out in a flat array for the kernels; return also its size."""
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
    """Distribute components over threads: about as many voxels each."""
    if not len(chosen):
        return []
    total = np.cumsum(volumes)
    wanted = min(max(int(total[-1]) // (4 * threads()), _LEAST), _LARGE)
    return np.split(chosen, np.flatnonzero(np.diff(total // wanted)) + 1)


def _ends(location: Location, bounds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether the image ends at either side of boxes; it does along one plane's Z."""
    flat = 3 - len(location.shape)
    start, stop, shape = (
        np.array((fill,) * flat + tuple(sides))
        for fill, sides in ((0, location.start), (1, location.stop), (1, location.shape))
    )
    before = (bounds[:, :, 0] == 0) & (start == 0)
    behind = (bounds[:, :, 1] == stop - start) & (stop == shape)
    return np.stack([before, behind], axis=2)
