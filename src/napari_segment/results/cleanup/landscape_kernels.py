"""Compiled loops that make the landscape in which components are split, each in its box.

Boxes lie in one flat array, each with a column of zeros behind each row, a row of zeros behind
each plane, and a guard of zeros before and behind them all: voxel (z, y, x) of a box is at
``start + z * plane + y * row + x``; its row of `layout` is (start, plane, row, begin, end), where
the box with its guards is from begin to end. Components are runs of voxels: `places` says where
each begins in the flat array, `at` where in the image, and `bounds` where the runs of each
component begin among them all.

Each step is a kernel of its own that is given all its room: kernels that call others, slice or
allocate take several times as long to compile.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def bound_runs(at: Array, lengths: Array, bounds: Array, ny: int, nx: int, boxes: Array) -> None:
    """Widen the boxes (N, 3, 2) of components in an image with rows of `nx` and planes of `ny`."""
    for n in range(bounds.size - 1):
        for r in range(bounds[n], bounds[n + 1]):
            row = at[r] // nx
            x, z = at[r] - row * nx, row // ny
            y = row - z * ny
            boxes[n, 0, 0], boxes[n, 0, 1] = min(boxes[n, 0, 0], z), max(boxes[n, 0, 1], z + 1)
            boxes[n, 1, 0], boxes[n, 1, 1] = min(boxes[n, 1, 0], y), max(boxes[n, 1, 1], y + 1)
            end = x + lengths[r]
            boxes[n, 2, 0], boxes[n, 2, 1] = min(boxes[n, 2, 0], x), max(boxes[n, 2, 1], end)


@njit(cache=True, nogil=True)
def locate_runs(
    at: Array, bounds: Array, boxes: Array, layout: Array, ny: int, nx: int, offsets: Array
) -> None:
    """Find where the runs of components begin in the flat array."""
    for n in range(bounds.size - 1):
        for r in range(bounds[n], bounds[n + 1]):
            row = at[r] // nx
            z = row // ny
            offset = layout[n, 0] + (z - boxes[n, 0, 0]) * layout[n, 1]
            offset += (row - z * ny - boxes[n, 1, 0]) * layout[n, 2]
            offsets[r] = offset + at[r] - row * nx - boxes[n, 2, 0]


@njit(cache=True, nogil=True)
def intensities(
    offsets: Array, lengths: Array, at: Array, image: Array, low: float, land: Array
) -> None:
    """Copy intensities of some components above the lowest; 0 in the rest of their boxes."""
    for i in range(land.size):
        land[i] = 0
    for r in range(offsets.size):
        for i in range(lengths[r]):
            land[offsets[r] + i] = np.float32(image[at[r] + i] - low)


@njit(cache=True, nogil=True)
def insides(offsets: Array, lengths: Array, land: Array) -> None:
    """Set infinity in some components, 0 in the rest of their boxes."""
    for i in range(land.size):
        land[i] = 0
    for r in range(offsets.size):
        for i in range(lengths[r]):
            land[offsets[r] + i] = np.inf


@njit(cache=True, nogil=True)
def distances(
    lines: Array, ends: Array, layout: Array, spacing: Array, land: Array, buffer: Array
) -> None:
    """Compute squared Euclidean distances to the nearest 0, from infinity and 0, in place.

    They are found axis by axis, as lower envelopes of parabolas: the least of
    ``land[q] + (gap * (p - q))**2`` over q, for each p of a line. Before and behind a line lie
    zeros, unless the image `ends` there. Between two zeros no parabola from outside is lowest, so
    each run of other values is taken by itself (Felzenszwalb & Huttenlocher 2012,
    doi:10.4086/toc.2012.v008a019).

    Parameters
    ----------
    lines : array (N, 3, 6)
        For each box and the axes X, Y and Z: voxels along the axis and how far they are apart, and
        the same of the two other axes.
    ends : array (N, 3, 2) of bool
        For each box and the axes Z, Y and X.
    layout, spacing : array (N, 5), (3,)
    land : array (S,) of float32
    buffer : array (4, L + 2)
        For lines of L voxels.
    """
    for job in range(3 * len(lines)):
        box, axis = job // 3, job % 3
        n, stride = lines[box, axis, 0], lines[box, axis, 1]
        first, last = ends[box, 2 - axis, 0], ends[box, 2 - axis, 1]
        square = spacing[2 - axis] * spacing[2 - axis]
        for line in range(lines[box, axis, 2] * lines[box, axis, 4]):
            start = layout[box, 0] + line // lines[box, axis, 4] * lines[box, axis, 3]
            start += line % lines[box, axis, 4] * lines[box, axis, 5]
            for i in range(n):
                buffer[3, i] = land[start + i * stride]
            b = 0
            while b < n:
                a = b
                while b < n and buffer[3, b] > 0:
                    b += 1
                top = -1
                for q in range(a - 1, b + 1):
                    inside = a <= q < b
                    if (q < 0 and first) or (q == n and last):
                        continue
                    height = buffer[3, q] if inside else 0.0
                    if height == np.inf:
                        continue
                    meets = -np.inf
                    while top >= 0:
                        k = buffer[0, top]
                        meets = (q + k) / 2 + (height - buffer[1, top]) / (2 * square * (q - k))
                        if meets > buffer[2, top]:
                            break
                        top -= 1
                    top += 1
                    buffer[0, top], buffer[1, top], buffer[2, top] = q, height, meets
                lowest = 0
                for p in range(a, b if top >= 0 else a):
                    while lowest < top and buffer[2, lowest + 1] < p:
                        lowest += 1
                    away = p - buffer[0, lowest]
                    land[start + p * stride] = square * away * away + buffer[1, lowest]
                b += 1


@njit(cache=True, nogil=True)
def smooth(
    lines: Array, ends: Array, layout: Array, weights: Array, radii: Array, land: Array, held: Array
) -> None:
    """Convolve along each axis, in place: mirrored at the edges of the image, with 0 elsewhere.

    Parameters
    ----------
    lines, ends, layout : array
        As of `distances`.
    weights, radii : array (3, R + 1), (3,)
        Along Z, Y and X: weights of distance 0, 1, …, and how many there are beyond the first.
    land : array (S,) of float32
    held : array (T,) of float32
        Room for as many lines as lie side by side, with margins.
    """
    for job in range(3 * len(lines)):
        box, axis = job // 3, job % 3
        n, stride = lines[box, axis, 0], lines[box, axis, 1]
        r = radii[2 - axis]
        width = 1 if axis == 0 else lines[box, axis, 4]
        for line in range(lines[box, axis, 2] * (lines[box, axis, 4] // width) if r else 0):
            rows = lines[box, axis, 4] // width
            start = layout[box, 0] + line // rows * lines[box, axis, 3]
            start += line % rows * lines[box, axis, 5]
            for i in range(-r, n + r):
                k = i
                while (k < 0 and ends[box, 2 - axis, 0]) or (k >= n and ends[box, 2 - axis, 1]):
                    k = -1 - k if k < 0 else 2 * n - 1 - k
                outside = k < 0 or k >= n
                for x in range(width):
                    held[(i + r) * width + x] = 0 if outside else land[start + k * stride + x]
            for i in range(n):
                middle, at = (i + r) * width, start + i * stride
                for x in range(width):
                    total = weights[2 - axis, 0] * held[middle + x]
                    for k in range(1, r + 1):
                        both = held[middle + x - k * width] + held[middle + x + k * width]
                        total += weights[2 - axis, k] * both
                    land[at + x] = total


@njit(cache=True, nogil=True)
def to_levels(
    offsets: Array, lengths: Array, bounds: Array, layout: Array, step: float, most: int,
    land: Array, states: Array, tops: Array, factors: Array,
) -> None:  # fmt: skip
    """Turn the landscape into words: levels from 1 to `most`, negated, and 0 outside of components.

    `states` may be the memory of `land`. Levels are `step` apart, or more where the landscape of a
    component is higher than that. Finds the highest level of each component, and how many levels
    are one unit of its landscape.
    """
    for n in range(bounds.size - 1):
        highest = np.float32(0)
        for i in range(layout[n, 3], layout[n, 4]):
            highest = max(highest, land[i])
        factor = np.float32(1 / step)
        if highest * factor > most - 1:
            factor = np.float32((most - 1) / highest)
        for i in range(layout[n, 3], layout[n, 4]):
            states[i] = 1 + max(min(int(land[i] * factor), most - 1), 0)
        top = 0
        end = layout[n, 3]
        for r in range(bounds[n], bounds[n + 1]):
            for i in range(end, offsets[r]):
                states[i] = 0
            end = offsets[r] + lengths[r]
            for i in range(offsets[r], end):
                top = max(top, states[i])
                states[i] = -states[i]
        for i in range(end, layout[n, 4]):
            states[i] = 0
        tops[n], factors[n] = top, factor
