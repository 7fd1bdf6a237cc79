"""k-means of several features: many starts on a summary, then Lloyd's algorithm on all voxels."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import map_blocks, reduce_blocks
from napari_segment.classical.clusters.condense import Points
from napari_segment.classical.clusters.features import HOLE, Features, stacked_planes

_ROUNDS = 300  # at most; the tolerance ends nearly every run sooner

Centers: TypeAlias = NDArray[np.float64]


class Fit(NamedTuple):
    """Centers (K, D) in weighted codes, and the sum of squared distances to them."""

    centers: Centers
    inertia: float


class Sums(NamedTuple):
    """Sums of codes (K, D) and numbers of voxels (K,) of the clusters."""

    codes: NDArray[np.int64]
    counts: NDArray[np.int64]


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
    runs = (_descend(points, _seeded(points, clusters, random), tolerance) for _ in range(restarts))
    return min(runs, key=lambda fit: fit.inertia)


def refine(features: Features, centers: Centers, *, tolerance: float) -> Centers:
    """Lloyd's algorithm on all voxels, which are read once a round.

    Parameters
    ----------
    features : Features
        In memory or lazy.
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
        gather = partial(_sums_of_blocks, features, centers)
        sums = reduce_blocks(gather, *features.codes, merge=_add)
        mass = sums.counts.astype(float)
        means = _means(sums.codes * scale, mass, centers)
        overall = mass @ means / max(mass.sum(), 1)
        gain = mass @ ((means - centers) ** 2).sum(1)
        centers = means
        if gain <= tolerance * (mass @ ((means - overall) ** 2).sum(1)):
            break
    return centers


def assign(features: Features, centers: Centers) -> Any:
    """Number voxels by the nearest center; voxels without a place are in cluster 0."""
    return map_blocks(
        partial(_numbers_of_blocks, features, centers), *features.codes, dtype=np.uint8
    )


def means_of(features: Features, clusters: Any, count: int) -> Centers:
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
    sums = reduce_blocks(gather, clusters, *features.codes, merge=_add)
    with np.errstate(invalid="ignore"):
        codes = sums.codes[:, 1:] / sums.counts[:, None]
    means: Centers = codes * features.weights + np.asarray(features.offsets)
    return means


def numbered(values: NDArray[Any], centers: Centers) -> NDArray[np.uint8]:
    """Nearest center of each column of weighted codes (D, N)."""
    from napari_segment.classical.clusters._lloyd import nearest

    clusters = np.empty(values.shape[1], np.uint8)
    points = np.ascontiguousarray(values, np.float32)
    nearest(points, np.ascontiguousarray(centers, np.float32), clusters)
    return clusters


# ---- on weighted points ----


def _descend(points: Points, centers: Centers, tolerance: float) -> Fit:
    """Move centers to the means of what is nearest, until inertia hardly falls."""
    values, mass = points
    single = values.astype(np.float32)
    spread = float(mass @ (values**2).sum(0))
    previous = np.inf
    for _ in range(_ROUNDS):
        clusters = numbered(single, centers)
        counts = np.bincount(clusters, mass, len(centers))
        sums = np.stack([np.bincount(clusters, mass * row, len(centers)) for row in values], 1)
        centers = _means(sums, counts, centers)
        inertia = max(spread - float(counts @ (centers**2).sum(1)), 0.0)
        if previous - inertia <= tolerance / 10 * inertia:
            break
        previous = inertia
    return Fit(centers, inertia)


def _seeded(points: Points, clusters: int, random: np.random.Generator) -> Centers:
    """Greedy k-means++: each further center is the best of a few drawn by squared distance."""
    values, mass = points
    trials = 2 + int(np.log(clusters))
    first = np.searchsorted(np.cumsum(mass), random.random() * mass.sum(), side="right")
    chosen = [min(int(first), len(mass) - 1)]
    nearest = ((values - values[:, chosen[0], None]) ** 2).sum(0)
    for _ in range(clusters - 1):
        total = np.cumsum(nearest * mass)
        drawn = np.searchsorted(total, random.random(trials) * total[-1], side="right")
        drawn = drawn.clip(max=len(mass) - 1)
        reached = [np.minimum(nearest, ((values - values[:, i, None]) ** 2).sum(0)) for i in drawn]
        best = int(np.argmin([distance @ mass for distance in reached]))
        chosen.append(int(drawn[best]))
        nearest = reached[best]
    return values[:, chosen].T.copy()


def _means(sums: NDArray[Any], counts: NDArray[Any], otherwise: Centers) -> Centers:
    """Means of clusters; a cluster without members keeps its center."""
    members = np.maximum(counts, 1)[:, None]
    return np.where(counts[:, None] > 0, sums / members, otherwise)


# ---- on blocks of voxels ----


def _clusters(features: Features, centers: Centers, codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Cluster of each column of codes (D, N); 255 for holes."""
    from napari_segment.classical.clusters._lloyd import NONE

    clusters = numbered(codes * np.asarray(features.weights, np.float32)[:, None], centers)
    if features.holes:
        clusters[codes[0] == HOLE] = NONE
    return clusters


def _sums_of_blocks(
    features: Features, centers: Centers, _place: Any, *blocks: NDArray[Any]
) -> Sums:
    from napari_segment.classical.clusters._lloyd import accumulate

    def part(codes: NDArray[np.uint16]) -> Sums:
        sums = Sums(np.zeros(centers.shape, np.int64), np.zeros(len(centers), np.int64))
        accumulate(codes, _clusters(features, centers, codes), *sums)
        return sums

    nothing = Sums(np.zeros(centers.shape, np.int64), np.zeros(len(centers), np.int64))
    return _add([nothing, *stacked_planes(part, blocks)])


def _sums_by_cluster(holes: bool, count: int, _place: Any, *blocks: NDArray[Any]) -> Sums:
    """Sums of blocks of codes, of which the first holds the clusters themselves."""
    from napari_segment.classical.clusters._lloyd import NONE, accumulate

    def part(codes: NDArray[np.uint16]) -> Sums:
        sums = Sums(np.zeros((count, len(codes)), np.int64), np.zeros(count, np.int64))
        clusters = codes[0].astype(np.uint8)
        if holes:
            clusters[codes[1] == HOLE] = NONE
        accumulate(codes, clusters, *sums)
        return sums

    nothing = Sums(np.zeros((count, len(blocks)), np.int64), np.zeros(count, np.int64))
    return _add([nothing, *stacked_planes(part, blocks)])


def _numbers_of_blocks(
    features: Features, centers: Centers, *blocks: NDArray[Any]
) -> NDArray[np.uint8]:
    from napari_segment.classical.clusters._lloyd import NONE

    def part(codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
        clusters = _clusters(features, centers, codes)
        return np.where(clusters == NONE, np.uint8(0), clusters) if features.holes else clusters

    parts = [np.zeros(0, np.uint8), *stacked_planes(part, blocks)]
    return np.concatenate(parts).reshape(blocks[0].shape)


def _add(parts: Sequence[Sums]) -> Sums:
    codes, counts = (np.sum(part, axis=0) for part in zip(*parts, strict=True))
    return Sums(codes, counts)
