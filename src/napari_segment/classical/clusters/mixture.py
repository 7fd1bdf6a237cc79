"""Gaussian mixture: clusters of unequal size and spread."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.clusters import lloyd
from napari_segment.classical.clusters.assignment import Centers
from napari_segment.classical.clusters.features import HOLE, Features, Space, map_codes
from napari_segment.classical.clusters.kmeans import GROUP, Clusters, Restarts, Seed, features_of
from napari_segment.classical.clusters.summary import Points, sampled, summarise
from napari_segment.registry import methods

_ROUNDS = 500


class Mixture(NamedTuple):
    """Parts (K,), means (K, D) and covariances (K, D, D) of normal distributions."""

    parts: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]


@methods.add(
    "gaussian_mixture", title="Gaussian mixture", gives="classes", group=GROUP, channels="many",
    pointwise=True,
)  # fmt: skip
def gaussian_mixture(
    image: Array,
    *,
    clusters: Clusters = 3,
    features: Space = "channels",
    restarts: Restarts = 4,
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 1e-5,
    seed: Seed = 0,
) -> Array:
    """Group voxels by the likeliest of k normal distributions fitted to them.

    Unlike `kmeans`, a small or narrow cluster may lie next to a large or wide one. Fitted by
    expectation–maximisation from k-means: of one channel on all voxels, counted in 32,768 bins, of
    several on a lattice of up to 65,536 voxels.

    Parameters
    ----------
    image : array (C, *S)
        Real numbers. NaN in any channel is background.
    tolerance : float
        Rounds end when the mean logarithm of the likelihood grows by less.

    Returns
    -------
    array of uint8 (*S)
        0 for the darkest cluster (the background) to k − 1 for the brightest.

    References
    ----------
    Dempster A.P., Laird N.M., Rubin D.B. (1977) Maximum likelihood from incomplete data via the
    EM algorithm. Journal of the Royal Statistical Society B 39:1–38.
    :doi:`10.1111/j.2517-6161.1977.tb01600.x`
    """
    voxel_features = features_of(image, features)
    points = (
        sampled(voxel_features)
        if len(voxel_features.codes) > 1
        else summarise(voxel_features).points
    )
    if not len(points.mass):
        return map_blocks(np.zeros_like, voxel_features.codes[0], dtype=np.uint8)
    start = lloyd.fit_points(points, clusters, restarts=restarts, tolerance=1e-4, seed=seed)
    mixture = fit_mixture(points, start.centers, tolerance=tolerance)
    order = np.argsort((mixture.means * voxel_features.brightness).sum(1), kind="stable")
    return _assign(voxel_features, Mixture(*(part[order] for part in mixture)))


def fit_mixture(points: Points, means: Centers, *, tolerance: float = 1e-5) -> Mixture:
    """Expectation–maximisation on weighted points.

    Parameters
    ----------
    points : Points
        At least one.
    means : array (K, D)
        Of the components at the start, which share the points as in k-means.
    tolerance : float
        Of the mean logarithm of the likelihood.

    Returns
    -------
    Mixture
    """
    values, mass = points
    floor = _floor(points)
    shares = np.eye(len(means))[lloyd.numbered(values, means)]
    mixture = _maximised(values, mass, shares, floor)
    previous = -np.inf
    for _ in range(_ROUNDS):
        densities = log_densities(values, mixture)
        top = densities.max(1, keepdims=True)
        shares = np.exp(densities - top)
        total = shares.sum(1, keepdims=True)
        likelihood = float(mass @ (top + np.log(total))[:, 0]) / float(mass.sum())
        if likelihood - previous <= tolerance:
            break
        previous = likelihood
        mixture = _maximised(values, mass, shares / total, floor)
    return mixture


def log_densities(values: NDArray[Any], mixture: Mixture) -> NDArray[np.float64]:
    """Logarithm of each component's part times its density at points (D, N): (N, K)."""
    whiten, constants = _whitening(mixture)
    away = values.T[:, None] - mixture.means
    lengths = (np.einsum("kde,nke->nkd", whiten, away) ** 2).sum(2)
    densities: NDArray[np.float64] = constants - 0.5 * lengths
    return densities


def _maximised(
    values: NDArray[Any], mass: NDArray[Any], shares: NDArray[Any], floor: NDArray[Any]
) -> Mixture:
    weights = shares * mass[:, None]
    sums = np.maximum(weights.sum(0), 1e-12 * mass.sum())
    means = weights.T @ values.T / sums[:, None]
    away = values.T[:, None] - means
    covariances = np.einsum("nk,nkd,nke->kde", weights, away, away) / sums[:, None, None]
    return Mixture(sums / sums.sum(), means, covariances + floor)


def _floor(points: Points) -> NDArray[np.float64]:
    """Added to covariances, so that a cluster of one value has some width."""
    values, mass = points
    mean = values @ mass / mass.sum()
    spread = float(mass @ ((values - mean[:, None]) ** 2).sum(0) / mass.sum()) / len(values)
    return np.eye(len(values)) * (1e-6 * spread or 1.0)


def _whitening(mixture: Mixture) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    whiten = np.linalg.inv(np.linalg.cholesky(mixture.covariances))
    logarithms = np.log(np.diagonal(whiten, axis1=1, axis2=2)).sum(1)
    depth = mixture.means.shape[1]
    return whiten, np.log(mixture.parts) + logarithms - 0.5 * depth * np.log(2 * np.pi)


def _assign(features: Features, mixture: Mixture) -> Array:
    number = partial(_likeliest_of_blocks, features.weights, features.holes, mixture)
    return map_blocks(number, *features.codes, dtype=np.uint8)


def _likeliest_of_blocks(
    weights: Sequence[float], holes: bool, mixture: Mixture, *blocks: NDArray[Any]
) -> NDArray[np.uint8]:
    from napari_segment.classical.clusters.mixture_kernels import likeliest

    whiten, constants = _whitening(mixture)

    def part(codes: NDArray[np.uint16]) -> NDArray[np.uint8]:
        clusters = np.zeros(codes.shape[1], np.uint8)
        likeliest(codes, np.array(weights), mixture.means, whiten, constants, clusters)
        return np.where(codes[0] == HOLE, np.uint8(0), clusters) if holes else clusters

    return map_codes(part, blocks, np.uint8)
