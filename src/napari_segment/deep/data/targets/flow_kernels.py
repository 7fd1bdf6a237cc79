"""Heat that spreads through objects, and voxels that follow it (numba)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

Array = Any
_STILL = 1e-3  # squared voxels a step
_TURNS = 3
_ROUNDS = 400  # at most: heat need not reach the ends of what fills an image


@njit(cache=True, nogil=True)
def spread(
    labels: Array, voxels: Array, starts: Array, middles: Array, sides: Array, strides: Array,
    heat: Array,
) -> None:  # fmt: skip
    """Heat in each object with a source at its middle and cold around it; all arrays are flat.

    The steady state, by successive over-relaxation, which needs about as many rounds as the
    object is long.
    """
    for k in range(len(starts) - 1):
        mine = voxels[starts[k] : starts[k + 1]]
        omega = 2 / (1 + np.sin(np.pi / (sides[k] + 1)))
        for _ in range(min(2 * sides[k], _ROUNDS)):
            for v in mine:
                total = 1.0 if v == middles[k] else 0.0
                for stride in strides:
                    if labels[v + stride] == labels[v]:
                        total += heat[v + stride]
                    if labels[v - stride] == labels[v]:
                        total += heat[v - stride]
                heat[v] += omega * (total / (2 * len(strides)) - heat[v])


@njit(cache=True, nogil=True)
def rise(labels: Array, voxels: Array, strides: Array, heat: Array, flow: Array) -> None:
    """Return the direction in which heat rises, of length 1."""
    ndim = len(strides)
    for v in voxels:
        length = 0.0
        for axis in range(ndim):
            after, before = v + strides[axis], v - strides[axis]
            high = heat[after] if labels[after] == labels[v] else 0.0
            low = heat[before] if labels[before] == labels[v] else 0.0
            flow[axis, v] = high - low
            length += (high - low) ** 2
        if length > 0:
            for axis in range(ndim):
                flow[axis, v] /= np.sqrt(length)


@njit(cache=True, nogil=True)
def follow(flow: Array, path: Array, steps: int) -> None:
    """Move places ``(N, 3)`` along a flow ``(3, Z, Y, X)``, interpolated linearly, in place.

    A place that turned round three times has arrived.
    """
    shape = flow.shape[1:]
    move, last = np.empty(3), np.empty(3)
    for n in range(len(path)):
        last[:] = 0
        turns = 0
        for _ in range(steps):
            z0, y0, x0 = int(path[n, 0]), int(path[n, 1]), int(path[n, 2])
            z1, y1, x1 = (
                min(z0 + 1, shape[0] - 1),
                min(y0 + 1, shape[1] - 1),
                min(x0 + 1, shape[2] - 1),
            )
            fz, fy, fx = path[n, 0] - z0, path[n, 1] - y0, path[n, 2] - x0
            speed = 0.0
            for a in range(3):
                near = (flow[a, z0, y0, x0] * (1 - fx) + flow[a, z0, y0, x1] * fx) * (1 - fy)
                near += (flow[a, z0, y1, x0] * (1 - fx) + flow[a, z0, y1, x1] * fx) * fy
                far = (flow[a, z1, y0, x0] * (1 - fx) + flow[a, z1, y0, x1] * fx) * (1 - fy)
                far += (flow[a, z1, y1, x0] * (1 - fx) + flow[a, z1, y1, x1] * fx) * fy
                move[a] = near * (1 - fz) + far * fz
                speed += move[a] ** 2
            if move[0] * last[0] + move[1] * last[1] + move[2] * last[2] < 0:
                turns += 1
            if speed < _STILL or turns == _TURNS:
                break
            last[:] = move
            for a in range(3):
                path[n, a] = min(max(path[n, a] + move[a], 0.0), shape[a] - 1.0)
