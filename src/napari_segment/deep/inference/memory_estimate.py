"""Estimate of the memory that a prediction takes, before it begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Any

from napari_segment.deep.inference.tiling import Grid

if TYPE_CHECKING:
    from torch import Tensor

_FLOAT = 4


@dataclass(frozen=True)
class Estimate:
    """Bytes that a prediction takes in addition to the image.

    Parameters
    ----------
    weights : int
        The network's parameters.
    network : int
        The largest sum of what the network holds at once for one batch of tiles.
    blending : int
        The slab in which tiles are blended.
    result : int
        The finished result, where it is held in memory.
    channels : int
        Output channels of the network.
    """

    weights: int
    network: int
    blending: int
    result: int
    channels: int

    @property
    def total(self) -> int:
        return self.weights + self.network + self.blending + self.result

    def __str__(self) -> str:
        parts = (
            f"network {format_bytes(self.weights + self.network)}",
            f"blending {format_bytes(self.blending)}",
            f"result {format_bytes(self.result)}",
        )
        return f"about {format_bytes(self.total)} of memory ({', '.join(parts)})"


def estimate(
    network: Callable[[Tensor], Tensor],
    grid: Grid,
    channels: int,
    batch: int = 1,
    values: int = 1,
) -> Estimate:
    """Estimate the memory of a prediction without running it.

    The network is traced on the meta device, and the peak of live tensors is taken. The working
    memory of convolutions is not part of it: allow a fifth more.

    Parameters
    ----------
    network : module or callable
        ``(B, C, *tile)`` to ``(B, K, *tile)``.
    grid : Grid
        The tiles.
    channels : int
        C.
    batch : int
        Tiles at once.
    values : int
        Bytes per voxel of the result in memory; 0 where it is written to disk.
    """
    from napari_segment.deep.inference.compute.memory_trace_torch import trace

    peak, outputs = trace(network, (batch, channels, *grid.tile))
    slab = list(grid.shape)
    slab[grid.axis] = grid.tile[grid.axis]
    tiles = 3 * batch * channels * prod(grid.tile) * _FLOAT  # being read, in work, and stacked
    return Estimate(
        weights=_weights(network),
        network=peak + tiles,
        blending=outputs * prod(slab) * _FLOAT + prod(grid.tile) * _FLOAT,
        result=values * prod(grid.shape),
        channels=outputs,
    )


def format_bytes(count: int) -> str:
    """Return a number of bytes with a unit."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.3g} {unit}"
        amount /= 1000
    return f"{amount:.3g} GB"


def _weights(network: Any) -> int:
    if not hasattr(network, "parameters"):
        return 0
    return sum(p.numel() * p.element_size() for p in network.parameters())
