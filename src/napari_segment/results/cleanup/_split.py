"""Compiled loops that split components, each in a box of its own.

A box lies in flat scratch arrays with a column of zeros behind each row, a row of zeros behind
each plane, and a guard of zeros before and behind them all: so each voxel has all its neighbours.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from napari_segment.results.cleanup._landscape import distances, intensities, smooth, to_levels

Array = NDArray[Any]

_LAST = -1  # the end of a list of voxels; voxel v as a link is -(v + 2)


@njit(cache=True, nogil=True)
def split_parts(
    parts: Array, image: Array, chosen: Array, boxes: Array, edges: Array, spacing: Array,
    low: float, limit: float, step: float, kernels: Any, depth: float, share: float, index: Any,
    pieces: Array, counts: Array,
) -> None:  # fmt: skip
    """Split some components and write the number of each voxel's piece, from 0, into `pieces`.

    Parameters
    ----------
    parts : array (Z, Y, X)
        Components, numbered from 1.
    image : array (Z, Y, X)
        The landscape, or an empty array for the distance to all that is not the component.
    chosen : array (N,)
        The components to split.
    boxes : array (C, 3, 2)
        First index of each component along each axis, and one past its last.
    edges : array (3, 2) of bool
        Whether the image ends at the first and last plane along each axis; else background lies
        beyond them.
    spacing : array (3,)
    low, limit, step : float
        The image's least value; the largest distance; what is one level of the landscape.
    kernels : three arrays
        Weights of the smoothing along each axis, of distance 0, 1, ….
    depth, share : float
        See `_meet`.
    index : array (0,) of int32 or int64
        Of a type that can number the voxels of the largest box.
    pieces : array (Z, Y, X)
        Untouched where a component has more pieces than its type can number.
    counts : array (C,)
        How many pieces each component has.
    """
    room = np.empty(0, np.float32)
    basins = np.empty(0, index.dtype)
    heads, tails = np.full(1024, _LAST, index.dtype), np.empty(1024, index.dtype)
    most = np.iinfo(pieces.dtype).max
    for c in chosen:
        (z0, z1), (y0, y1), (x0, x1) = boxes[c - 1]
        nz, ny, nx = z1 - z0, y1 - y0, x1 - x0
        plane = (ny + 1) * (nx + 1)
        guard = plane if nz > 1 else nx + 1
        size = 2 * guard + nz * plane
        if size > room.size:
            room, basins = np.empty(size, np.float32), np.empty(size, index.dtype)
        flat, basin = room[:size], basins[:size]
        for i in range(size):
            flat[i] = basin[i] = 0
        land = flat[guard : size - guard].reshape((nz, ny + 1, nx + 1))[:, :ny, :nx]
        ends = np.empty((3, 2), np.bool_)
        for axis in range(3):
            ends[axis, 0] = edges[axis, 0] and boxes[c - 1, axis, 0] == 0
            ends[axis, 1] = edges[axis, 1] and boxes[c - 1, axis, 1] == parts.shape[axis]
        own = parts[z0:z1, y0:y1, x0:x1]
        if image.size:
            intensities(own, c, image[z0:z1, y0:y1, x0:x1], low, land)
        else:
            distances(own, c, ends, spacing, limit, land)
        smooth(land, ends, kernels)
        levels = flat.view(np.int32)
        top = to_levels(own, c, step, flat[guard:], levels[guard:])
        if top >= heads.size:
            heads = np.full(2 * top, _LAST, index.dtype)
            tails = np.empty(2 * top, index.dtype)
        steps = _steps(nz, ny, nx)
        peaks = _find_peaks(levels, basin, steps)
        parent = _flood(levels, basin, steps, peaks, heads, tails, top, depth, share)
        counts[c - 1] = _number(basin, parent)
        if counts[c - 1] <= most:
            found = basin[guard : size - guard].reshape((nz, ny + 1, nx + 1))
            _write(own, c, found, parent, pieces[z0:z1, y0:y1, x0:x1])


@njit(cache=True, nogil=True)
def _steps(nz: int, ny: int, nx: int) -> Array:
    """Steps in the flat arrays to the neighbours across faces."""
    row, plane = nx + 1, (ny + 1) * (nx + 1)
    if nz > 1:
        return np.array([-plane, -row, -1, 1, row, plane])
    return np.array([-row, -1, 1, row])


# ---- peaks and basins ----


@njit(cache=True, nogil=True)
def _find_peaks(levels: Array, basin: Array, steps: Array) -> Array:
    """Number the plateaus without a higher neighbour; the level of each, behind a 0.

    `basin` becomes the number of its peak at a voxel of a peak, and the least integer at
    other voxels. A plateau under way is a list of voxels, linked through `basin` itself.
    """
    passed = np.iinfo(basin.dtype).min
    found = np.zeros(64, np.int32)
    count = 0
    for v in range(levels.size):
        level = levels[v]
        if level == 0 or basin[v] != 0:
            continue
        highest = True
        basin[v] = _LAST
        tail = here = v
        while True:
            for k in range(steps.size):
                w = here + steps[k]
                if levels[w] > level:
                    highest = False
                elif levels[w] == level and basin[w] == 0:
                    basin[w] = _LAST
                    basin[tail] = -(w + 2)
                    tail = w
            if basin[here] == _LAST:
                break
            here = -basin[here] - 2
        if highest:
            count += 1
            if count == found.size:
                found = _twice_as_long(found)
            found[count] = level
        here = v
        while True:
            link = basin[here]
            basin[here] = count if highest else passed
            if link == _LAST:
                break
            here = -link - 2
    return found[: count + 1]


@njit(cache=True, nogil=True)
def _twice_as_long(array: Array) -> Array:
    longer = np.zeros(2 * array.size, array.dtype)
    for i in range(array.size):
        longer[i] = array[i]
    return longer


@njit(cache=True, nogil=True)
def _flood(
    levels: Array, basin: Array, steps: Array, peaks: Array, heads: Array, tails: Array, top: int,
    depth: float, share: float,
) -> Array:  # fmt: skip
    """Let basins grow from the peaks down; those that were joined have one root.

    Voxels wait in one list for each level, first come first served, linked through `basin`.
    `heads` are the lists' first voxels; all are empty before and after.
    """
    parent = np.arange(peaks.size).astype(basin.dtype)
    for v in range(levels.size):
        if basin[v] > 0:
            _line_up(v, levels, basin, steps, heads, tails)
    level = top
    while level:
        v = heads[level]
        if v == _LAST:
            level -= 1
            continue
        link = basin[v]
        heads[level] = _LAST if link == _LAST else -link - 2
        steepest = -1
        for k in range(steps.size):
            w = v + steps[k]
            if basin[w] > 0 and (steepest < 0 or levels[w] > levels[steepest]):
                steepest = w
        basin[v] = basin[steepest]
        for k in range(steps.size):
            w = v + steps[k]
            if basin[w] > 0 and basin[w] != basin[v]:
                _meet(parent, peaks, basin[w], basin[v], level, depth, share)
        _line_up(v, levels, basin, steps, heads, tails)
    return parent


@njit(cache=True, nogil=True)
def _line_up(v: int, levels: Array, basin: Array, steps: Array, heads: Array, tails: Array) -> None:
    """Put the neighbours that wait nowhere yet at the end of their level's list."""
    passed = np.iinfo(basin.dtype).min
    for k in range(steps.size):
        w = v + steps[k]
        if basin[w] == passed:
            level = levels[w]
            basin[w] = _LAST
            if heads[level] == _LAST:
                heads[level] = w
            else:
                basin[tails[level]] = -(w + 2)
            tails[level] = w


@njit(cache=True, nogil=True)
def _root(parent: Array, i: int) -> Any:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def _meet(
    parent: Array, peaks: Array, a: int, b: int, level: int, depth: float, share: float
) -> None:
    """Join two basins that meet at a level unless the lower peak stands out.

    A peak remains if it rises above the pass to a higher one by at least `depth` and by at least
    `share` of its own height.
    """
    a, b = _root(parent, a), _root(parent, b)
    if a == b:
        return
    if peaks[a] < peaks[b] or (peaks[a] == peaks[b] and a > b):
        a, b = b, a
    rise = peaks[b] - level
    if rise < depth or rise < share * peaks[b]:
        parent[b] = a


@njit(cache=True, nogil=True)
def _number(basin: Array, parent: Array) -> int:
    """Make `parent` the table from basins to pieces, numbered by first voxel from 0."""
    for i in range(parent.size):
        parent[i] = _root(parent, i)
    number = np.full(parent.size, -1, parent.dtype)
    count = 0
    for v in range(basin.size):
        if basin[v] > 0 and number[parent[basin[v]]] < 0:
            number[parent[basin[v]]] = count
            count += 1
    for i in range(parent.size):
        parent[i] = number[parent[i]]
    return count


@njit(cache=True, nogil=True)
def _write(own: Array, c: int, basin: Array, piece: Array, pieces: Array) -> None:
    for z in range(own.shape[0]):
        for y in range(own.shape[1]):
            for x in range(own.shape[2]):
                if own[z, y, x] == c:
                    pieces[z, y, x] = piece[basin[z, y, x]]


@njit(cache=True, nogil=True)
def number_pieces(parts: Array, pieces: Array, starts: Array, out: Array) -> Array:
    """Number pieces of components by first voxel, from 1; the flat index of their first voxels.

    Parameters
    ----------
    parts, pieces, out : array (N,)
        Components; number of the piece within its component, from 0; the result. `out` may be
        `parts`.
    starts : array (C + 1,)
        How many pieces all components before each one have.
    """
    first = np.empty(starts[-1], np.int64)
    number = np.zeros(starts[-1], np.int64)
    count = 0
    for i in range(parts.size):
        if parts[i] == 0:
            out[i] = 0
            continue
        k = starts[parts[i] - 1] + pieces[i]
        if number[k] == 0:
            first[count] = i
            count += 1
            number[k] = count
        out[i] = number[k]
    return first
