"""k-means of several features: many starts on a summary, then Lloyd's algorithm on all voxels."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import Location, map_blocks, reduce_blocks
from napari_segment.blocks.slabs import over_slabs
from napari_segment.classical.clusters.assignment import Assignment, Centers
from napari_segment.classical.clusters.features import HOLE, Features, sum_of_codes
from napari_segment.classical.clusters.summary import Points, Summary, added

_ROUNDS = 300  # at most; the tolerance ends nearly every run sooner


class Fit(NamedTuple):
    """Centers (K, D) in weighted codes, and the sum of squared distances to them."""

    centers: Centers
    inertia: float


def fit_points(points: Points, clusters: int, *, restarts: int, tolerance: float, seed: int) -> Fit:
    """The best of several runs of k-means++ and Lloyd's algorithm on weighted points.

    Parameters
    ----------
    points : Points
        At least one.
    clusters : int
        How many; no more than there are points come out.
    restarts, tolerance, seed
        As of `kmeans`.

    Returns
    -------
    Fit
    """
    random = np.random.default_rng(seed)
    clusters = min(clusters, len(points.mass))
    starts = [_seeded(points, clusters, random) for _ in range(restarts)]
    single = points.values.astype(np.float32)

    def run(first: int, last: int) -> list[Fit]:
        return [_descend(points, single, centers, tolerance) for centers in starts[first:last]]

    fits = itertools.chain.from_iterable(over_slabs(run, restarts, 1))
    return min(fits, key=lambda fit: fit.inertia)


def refine(features: Features, summary: Summary, centers: Centers, *, tolerance: float) -> Centers:
    """Lloyd's algorithm on all voxels, which are read once a round.

    Cells of the summary that lie in one cluster as a whole are added as such.

    Parameters
    ----------
    features : Features
        In memory or lazy.
    summary : Summary
        Of the features.
    centers : array (K, D)
        In weighted codes.
    tolerance : float
        Ends when what the means gain over the centers is less than this part of all variance.

    Returns
    -------
    array (K, D)
    """
    scale = np.asarray(features.weights)
    for _ in range(_ROUNDS):
        numbering = Assignment.of(features, summary, centers)
        divided = reduce_blocks(numbering.sums, *features.codes, merge=added)
        sums = divided + numbering.undivided(summary.totals)
        mass = sums[:, -1].astype(float)
        means = _means(sums[:, :-1] * scale, mass, centers)
        overall = mass @ means / max(mass.sum(), 1)
        gain = mass @ ((means - centers) ** 2).sum(1)
        centers = means
        if gain <= tolerance * (mass @ ((means - overall) ** 2).sum(1)):
            break
    return centers


def assign(features: Features, summary: Summary, centers: Centers) -> Array:
    """Number voxels by the nearest center; voxels without a place are in cluster 0."""
    numbering = Assignment.of(features, summary, centers)
    return map_blocks(numbering.numbers, *features.codes, dtype=np.uint8)


def means_of(features: Features, clusters: Array, count: int) -> Centers:
    """Mean values (count, D) of the features in each cluster; NaN of an empty one.

    Parameters
    ----------
    features : Features
        In memory or lazy.
    clusters : array of uint8 (*S)
        The cluster of each voxel.
    count : int
        How many clusters.
    """
    gather = partial(_sums_by_cluster, features.holes, count)
    sums = reduce_blocks(gather, clusters, *features.codes, merge=added)
    with np.errstate(invalid="ignore"):
        codes = sums[:, 1:-1] / sums[:, -1:]
    means: Centers = codes * features.weights + np.asarray(features.offsets)
    return means


def numbered(values: NDArray[Any], centers: Centers) -> NDArray[np.uint8]:
    """Nearest center of each column of weighted codes (D, N)."""
    from napari_segment.classical.clusters.lloyd_kernels import nearest

    clusters = np.empty(values.shape[1], np.uint8)
    points = np.ascontiguousarray(values, np.float32)
    nearest(points, points.shape[1], np.ascontiguousarray(centers, np.float32), clusters)
    return clusters


def _descend(points: Points, single: NDArray[np.float32], start: Centers, tolerance: float) -> Fit:
    from napari_segment.classical.clusters.lloyd_kernels import descend

    centers = start.copy()
    inertia = descend(points.values, single, points.mass, centers, tolerance / 10, _ROUNDS)
    return Fit(centers, inertia)


def _seeded(points: Points, clusters: int, random: np.random.Generator) -> Centers:
    """Greedy k-means++: each further center is the best of a few drawn by squared distance."""
    from napari_segment.classical.clusters.lloyd_kernels import reach

    values, mass = points
    trials = 2 + int(np.log(clusters))
    first = np.searchsorted(np.cumsum(mass), random.random() * mass.sum(), side="right")
    chosen = [min(int(first), len(mass) - 1)]
    nearest = ((values - values[:, chosen[0], None]) ** 2).sum(0)
    reached = np.empty((trials, len(mass)))
    for _ in range(clusters - 1):
        total = np.cumsum(nearest * mass)
        drawn = np.searchsorted(total, random.random(trials) * total[-1], side="right")
        drawn = drawn.clip(max=len(mass) - 1)
        reach(values, nearest, drawn, reached)
        best = int(np.argmin(reached @ mass))
        chosen.append(int(drawn[best]))
        nearest = reached[best].copy()
    return values[:, chosen].T.copy()


def _means(sums: NDArray[Any], counts: NDArray[Any], otherwise: Centers) -> Centers:
    """Means of clusters; a cluster without members keeps its center."""
    members = np.maximum(counts, 1)[:, None]
    return np.where(counts[:, None] > 0, sums / members, otherwise)


def _sums_by_cluster(
    holes: bool, count: int, _location: Location, *blocks: NDArray[Any]
) -> NDArray[np.int64]:
    """Sums (K, 1 + D + 1) of blocks of codes, of which the first holds the clusters themselves."""
    from napari_segment.classical.clusters.lloyd_kernels import NONE, add_to_clusters

    def add(codes: NDArray[np.uint16], sums: NDArray[np.int64]) -> None:
        clusters = codes[0].astype(np.uint8)
        if holes:
            clusters[codes[1] == HOLE] = NONE
        add_to_clusters(codes, clusters, sums)

    return sum_of_codes(add, blocks, (count, len(blocks) + 1))
