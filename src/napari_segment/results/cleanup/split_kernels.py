"""Kernels that split components, each in a box of its own.

The layout of boxes in a flat array is that of `landscape_kernels`, in which each voxel has all its
neighbours.
One word for each voxel holds the landscape, then the lists of waiting voxels and the basins with
the tree of those that were joined, and at last the numbers of the pieces:

====================== =========================================================================
word                   says that the voxel
====================== =========================================================================
0                      is none of the component's
-level                 has a level of 1 to 65535 and was not looked at
-`LEVELS` - level      was looked at for peaks
`_WAITING` - 8 v - k   waits in its level's list before voxel v (0: none), reached from its
                       neighbour in direction k (1, -1, row, -row, plane, -plane), or as a peak
                       (`_PEAK`; until it waits, v is its level)
v > 0                  belongs to the basin of voxel v
least integer + level  is the root of a basin whose peak has that level
====================== =========================================================================
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]

LEVELS = 1 << 16
LARGEST = (1 << 28) - LEVELS  # voxels of a box, up to which 32 bits are enough for all words
_WAITING = -2 * LEVELS
_PEAK = 7


@njit(cache=True, nogil=True)
def find_peaks(layout: Array, states: Array) -> None:
    """Mark the first voxel of each plateau that has no higher neighbour as a peak.

    A plateau under way is a list of waiting voxels.
    """
    for n in range(len(layout)):
        plane, row = layout[n, 1], layout[n, 2]
        for v in range(layout[n, 3], layout[n, 4]):
            state = states[v]
            if state >= 0 or state < -LEVELS:
                continue
            highest = True
            states[v] = _WAITING
            tail = here = v
            while here:
                for k in range(6 if plane else 4):
                    step = 1 if k < 2 else row if k < 4 else plane
                    w = here - step if k % 2 else here + step
                    other = states[w]
                    if other == state:
                        states[w] = _WAITING
                        states[tail] = _WAITING - 8 * w
                        tail = w
                    elif other <= _WAITING:
                        highest = highest and (_WAITING - other) & 7 != _PEAK
                    elif other < -LEVELS:
                        highest = highest and other + LEVELS > state
                    elif other < state:
                        highest = False
                here = (_WAITING - states[here]) >> 3
            here = v
            while here:
                link = (_WAITING - states[here]) >> 3
                states[here] = state - LEVELS
                here = link
            if highest:
                states[v] = _WAITING + 8 * state - _PEAK


@njit(cache=True, nogil=True)
def flood(
    layout: Array, tops: Array, factors: Array, depth: float, relative_depth: float, lists: Array,
    states: Array,
) -> None:  # fmt: skip
    """Let basins grow from the peaks down, first come first served, and join those that meet.

    A peak remains if it rises above the pass to a higher one by at least `depth` (of the
    landscape) and by at least the fraction `relative_depth` of its own height. Of equally high
    ones the first is higher.

    Parameters
    ----------
    layout : array (N, 5)
    tops, factors : array (N,)
        As from `to_levels`.
    depth, relative_depth : float
    lists : array (2, LEVELS)
        First and last voxel that waits at each level; zeros before and after.
    states : array (S,)
    """
    least = np.iinfo(states.dtype).min
    for n in range(len(layout)):
        plane, row = layout[n, 1], layout[n, 2]
        for v in range(layout[n, 3], layout[n, 4]):
            waiting = _WAITING - states[v]
            if waiting > 0 and waiting & 7 == _PEAK:
                level = waiting >> 3
                states[v] = _WAITING - _PEAK
                if lists[0, level]:
                    states[lists[1, level]] -= 8 * v
                else:
                    lists[0, level] = v
                lists[1, level] = v
        level = tops[n]
        while level:
            v = int(lists[0, level])
            if v == 0:
                level -= 1
                continue
            waiting = _WAITING - states[v]
            lists[0, level] = waiting >> 3
            own = v
            states[v] = least + level
            for k in range(-1, 6 if plane else 4):  # first the basin that it came from
                if k < 0:
                    if waiting & 7 == _PEAK:
                        continue
                    j = waiting & 7
                else:
                    j = k
                step = 1 if j < 2 else row if j < 4 else plane
                w = v - step if j % 2 else v + step
                state = states[w]
                if state > 0 or state < least + LEVELS:
                    if state == own or w == own or state == 0:
                        continue
                    while states[w] > 0:  # to its root
                        if states[states[w]] > 0:
                            states[w] = states[states[w]]
                        w = int(states[w])
                    if k < 0:
                        own = w
                        states[v] = own
                    elif w != own:
                        low, high = own, w
                        if states[w] < states[own] or (states[w] == states[own] and w > own):
                            low, high = w, own
                        peak = states[low] - least
                        rise = peak - level
                        if rise < depth * factors[n] or rise < relative_depth * peak:
                            states[low] = high
                            own = high
                elif _WAITING < state < 0:
                    there = -state - LEVELS
                    states[w] = _WAITING - (k ^ 1)
                    if lists[0, there]:
                        states[lists[1, there]] -= 8 * w
                    else:
                        lists[0, there] = w
                    lists[1, there] = w


@njit(cache=True, nogil=True)
def number(layout: Array, states: Array, counts: Array) -> None:
    """Number the pieces of each component by first voxel: -1, -2, …; how many there are."""
    rooted = np.iinfo(states.dtype).min + LEVELS
    for n in range(len(layout)):
        count = 0
        for v in range(layout[n, 3], layout[n, 4]):
            if states[v] == 0:
                continue
            root = v
            while states[root] > 0:
                if states[states[root]] > 0:
                    states[root] = states[states[root]]
                root = int(states[root])
            if states[root] < rooted:
                count += 1
                states[root] = -count
            states[v] = states[root]
        counts[n] = count


@njit(cache=True, nogil=True)
def list_pieces(
    offsets: Array, lengths: Array, bounds: Array, at: Array, begins: Array, states: Array,
    pieces: Array, first: Array,
) -> None:  # fmt: skip
    """List the pieces that the voxels of some components belong to.

    Parameters
    ----------
    offsets, lengths, at : array (R,)
        Where the runs begin in the words, how long they are, and where in the image they begin.
    bounds, begins : array (N + 1,)
        Where the runs of each component begin among all of them, and its pieces among all pieces.
    states : array (S,)
        With the numbers of pieces.
    pieces : array (V,)
        Becomes the piece of each voxel, from 0 in each component; may be the memory of `states`.
    first : array (P,)
        Becomes the flat index of the first voxel of each piece in the image.
    """
    k = 0
    for n in range(bounds.size - 1):
        count = begins[n]
        for r in range(bounds[n], bounds[n + 1]):
            for i in range(lengths[r]):
                piece = -states[offsets[r] + i] - 1
                if begins[n] + piece == count:
                    first[count] = at[r] + i
                    count += 1
                pieces[k] = piece
                k += 1


@njit(cache=True, nogil=True)
def paint_pieces(
    lengths: Array, bounds: Array, at: Array, begins: Array, pieces: Array, number: Array,
    out: Array,
) -> None:  # fmt: skip
    """Write the `number` of each voxel's piece into a flat image; the rest stays as it is."""
    k = 0
    for n in range(bounds.size - 1):
        for r in range(bounds[n], bounds[n + 1]):
            for i in range(lengths[r]):
                out[at[r] + i] = number[begins[n] + pieces[k]]
                k += 1


@njit(cache=True, nogil=True)
def spread_pieces(lengths: Array, at: Array, pieces: Array, number: Array, out: Array) -> None:
    """Write the `number` of each voxel's piece into a flat image and 0 elsewhere.

    The list of the `pieces` of one component may be the beginning of the memory of `out`: from the
    last voxel on, nothing is written over that has not been read.
    """
    k, begin = pieces.size, out.size
    for r in range(lengths.size - 1, -1, -1):
        end = at[r] + lengths[r]
        for i in range(end, begin):
            out[i] = 0
        begin = at[r]
        for i in range(end - 1, begin - 1, -1):
            k -= 1
            out[i] = number[pieces[k]]
    for i in range(begin):
        out[i] = 0
