"""Which center each voxel is nearest to: looked up for most, computed for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import Location
from napari_segment.classical.clusters.features import Features, map_codes, sum_of_codes
from napari_segment.classical.clusters.summary import Grid, Summary

Centers: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Assignment:
    """How voxels are numbered by the nearest center: mostly by looking up their cell's owner.

    Parameters
    ----------
    grid : Grid
        Of cells.
    owners : array of uint8 (M + 1,)
        The center that is nearest throughout a cell; `DIVIDED` where none is.
    weights : array of float32 (D,)
        Of codes.
    centers : array of float32 (K, D)
        In weighted codes.
    """

    grid: Grid
    owners: NDArray[np.uint8]
    weights: NDArray[np.float32]
    centers: NDArray[np.float32]

    @classmethod
    def of(cls, features: Features, summary: Summary, centers: Centers) -> Assignment:
        from napari_segment.classical.clusters.lloyd_kernels import claim

        grid, weights = summary.grid, np.asarray(features.weights)
        owners = np.empty(len(summary.totals), np.uint8)
        claim(summary.totals, grid.low, grid.shift, grid.bits, weights, centers, owners)
        return cls(grid, owners, weights.astype(np.float32), centers.astype(np.float32))

    def undivided(self, totals: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sums (K, D + 1) over the cells that have an owner."""
        sums = np.zeros(self._shape, np.int64)
        owned = self.owners < len(sums)
        np.add.at(sums, self.owners[owned], totals[owned])
        return sums

    def sums(self, _location: Location, *blocks: NDArray[Any]) -> NDArray[np.int64]:
        """Sums (K, D + 1) over the voxels of blocks that lie in divided cells."""

        def add(codes: NDArray[np.uint16], sums: NDArray[np.int64]) -> None:
            self._numbered(codes, sums)

        return sum_of_codes(add, blocks, self._shape)

    def numbers(self, *blocks: NDArray[Any]) -> NDArray[np.uint8]:
        """Clusters of the voxels of blocks."""
        return map_codes(self._cluster, blocks, np.uint8)

    @property
    def _shape(self) -> tuple[int, int]:
        clusters, depth = self.centers.shape
        return clusters, depth + 1

    def _cluster(self, codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
        """Clusters of codes (D, N); 0 for holes."""
        from napari_segment.classical.clusters.lloyd_kernels import NONE

        clusters = self._numbered(codes, np.zeros(self._shape, np.int64))
        if self.grid.hole >= 0:
            clusters[clusters == NONE] = 0
        return clusters

    def _numbered(self, codes: NDArray[np.uint16], sums: NDArray[np.int64]) -> NDArray[np.uint8]:
        from napari_segment.classical.clusters.lloyd_kernels import number

        clusters = np.empty(codes.shape[1], np.uint8)
        number(codes, *self.grid, self.owners, self.weights, self.centers, clusters, sums)
        return clusters
