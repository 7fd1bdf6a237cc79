"""Connected components by runs: compiled loops."""

from typing import Any

from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


@njit(cache=True, nogil=True)
def find_runs(rows: Array, counts: Array, begin: Array, end: Array, value: Array) -> int:
    """Find the runs of equal, non-zero values in each row; how many there are.

    Room is given from outside: what allocates takes several times as long to compile.

    Parameters
    ----------
    rows : array (R, X)
    counts : array (R,)
        Becomes the number of runs in each row.
    begin, end, value : array (N,)
        Become the first position of each run, one past its last, and its value; row by row.
    """
    n = 0
    length = rows.shape[1]
    for r in range(len(rows)):
        before = n
        i = 0
        while i < length:
            v = rows[r, i]
            if v == 0:
                i += 1
                continue
            begin[n] = i
            value[n] = v
            i += 1
            while i < length and rows[r, i] == v:
                i += 1
            end[n] = i
            n += 1
        counts[r] = n - before
    return n


@njit(cache=True, nogil=True)
def join_runs(
    offsets: Array, begin: Array, end: Array, value: Array, height: int, connectivity: int,
    parent: Array, first: Array, sizes: Array,
) -> int:  # fmt: skip
    """Join touching runs of equal value into components; how many there are.

    Parameters
    ----------
    offsets : array (R + 1,)
        Where the runs of each row begin.
    begin, end, value : array (N,)
        As from `find_runs`.
    height : int
        Rows in a plane.
    connectivity : int
        How many coordinates may differ by one between neighbours.
    parent : array (N,)
        0, 1, 2, …; becomes the component of each run, numbered from 1 in the order of first runs.
    first, sizes : array (N,)
        Become the first run of each component, and how many positions it has; `sizes` from zeros.
    """
    for r in range(offsets.size - 1):
        y = r % height
        for step in range(4):  # the rows before in the plane and across from the plane before
            dz, dy = -min(step, 1), step - 2 if step else -1
            other = r + dz * height + dy
            apart = abs(dz) + abs(dy)
            if other < 0 or not 0 <= y + dy < height or apart > connectivity:
                continue
            reach = 1 if apart < connectivity else 0
            nearest = offsets[other]
            for i in range(offsets[r], offsets[r + 1]):
                while nearest < offsets[other + 1] and end[nearest] + reach <= begin[i]:
                    nearest += 1
                j = nearest
                while j < offsets[other + 1] and begin[j] < end[i] + reach:
                    if value[i] == value[j]:
                        a, b = i, j
                        while parent[a] != a or parent[b] != b:
                            parent[a] = parent[parent[a]]
                            parent[b] = parent[parent[b]]
                            a, b = int(parent[a]), int(parent[b])
                        parent[max(a, b)] = min(a, b)
                    j += 1
    count = 0
    for i in range(begin.size):
        if parent[i] == i:
            first[count] = i
            count += 1
            parent[i] = count
        else:
            parent[i] = parent[parent[i]]  # the component of an earlier run
        sizes[parent[i] - 1] += end[i] - begin[i]
    return count


@njit(cache=True, nogil=True)
def paint_runs(offsets: Array, begin: Array, end: Array, number: Array, rows: Array) -> None:
    """Write each run's number into its place in rows of zeros."""
    for r in range(len(rows)):
        for i in range(offsets[r], offsets[r + 1]):
            for x in range(begin[i], end[i]):
                rows[r, x] = number[i]


@njit(cache=True, nogil=True)
def sort_runs(
    offsets: Array, begin: Array, end: Array, number: Array, width: int, starts: Array, at: Array,
    length: Array,
) -> None:  # fmt: skip
    """Bring the runs of each component together, in the order in which they are.

    Parameters
    ----------
    offsets, begin, end, number : array
        As of `paint_runs`.
    width : int
        Of a row.
    starts : array (C + 2,)
        Zeros; becomes where the runs of each component begin, and twice their number.
    at, length : array (N,)
        Become the flat index of each run's first voxel, and how many voxels it has.
    """
    for i in range(number.size):
        starts[number[i] + 1] += 1
    for c in range(1, starts.size):
        starts[c] += starts[c - 1]
    for r in range(offsets.size - 1):
        for i in range(offsets[r], offsets[r + 1]):
            j = starts[number[i]]
            starts[number[i]] += 1
            at[j], length[j] = r * width + begin[i], end[i] - begin[i]
