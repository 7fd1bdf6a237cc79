"""k-means: optimal for one channel, Lloyd's algorithm for several features."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.clusters import lloyd
from napari_segment.classical.clusters.assignment import Centers
from napari_segment.classical.clusters.features import (
    Features,
    Space,
    channel_features,
    colour_features,
    position_features,
    texture_features,
)
from napari_segment.classical.clusters.selection import SILHOUETTES, Selection, elbow, silhouette
from napari_segment.classical.clusters.summary import Points, summarise
from napari_segment.classical.grid import float_type
from napari_segment.classical.histogram import LEVELS, Histogram, histogram, real
from napari_segment.classical.threshold.binarise import digitise
from napari_segment.classical.threshold.multilevel import Grouping, groupings
from napari_segment.image import Spacing
from napari_segment.registry import methods

GROUP = "clusters"
Clusters: TypeAlias = Annotated[
    int,
    Field(
        ge=1,
        le=64,
        description="Number of clusters; the largest number that is tried where it is chosen from "
        "the data.",
    ),
]
PositionWeight: TypeAlias = Annotated[
    float,
    Field(
        ge=0,
        le=100,
        description="Weight of the position of a voxel: at 1 the longest side of the image counts "
        "as much as the range of intensities.",
    ),
]
TextureWeight: TypeAlias = Annotated[
    float,
    Field(
        ge=0,
        le=100,
        description="Weight of the standard deviation of the intensity (the mean of the channels) "
        "in the box of 5 voxels around a voxel: at 1 it counts as much as an equal intensity.",
    ),
]
Restarts: TypeAlias = Annotated[
    int,
    Field(
        ge=1, le=100, description="Number of k-means++ initialisations, of which the best is taken."
    ),
]
Tolerance: TypeAlias = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="Relative improvement of the variance between clusters below which the "
        "iterations over all voxels stop.",
    ),
]
Seed: TypeAlias = Annotated[int, Field(ge=0, description="Random seed of the initialisations.")]


@methods.add(
    "kmeans", title="k-means clusters", gives="classes", group=GROUP, channels="many",
    pointwise=True,
)  # fmt: skip
def kmeans(  # noqa: PLR0913
    image: Array,
    spacing: Spacing = (),
    *,
    clusters: Clusters = 3,
    selection: Selection = "fixed",
    features: Space = "channels",
    position_weight: PositionWeight = 0.0,
    texture_weight: TextureWeight = 0.0,
    restarts: Restarts = 8,
    tolerance: Tolerance = 1e-4,
    seed: Seed = 0,
) -> Array:
    """Group voxels around k centers with the least squared distance to them.

    One channel is solved exactly through its histogram; there, restarts, tolerance and seed play
    no part. Several features are solved by Lloyd's algorithm: the best of several k-means++ starts
    on a summary (of three features, 32,768 cells, the fullest divided; of more, a lattice) is
    carried on with all voxels.

    Parameters
    ----------
    image : array (C, *S)
        Real numbers. NaN in any channel is background.
    spacing : sequence of float
        Distance between neighbours along the spatial axes, for `position_weight`. An axis before
        those has no neighbours, as time points that are taken together.

    Returns
    -------
    array of uint8 (*S)
        0 for the darkest cluster (the background) to k − 1 for the brightest.

    Notes
    -----
    Floats are counted in 65,536 bins (one channel) or rounded to as many steps (several) between
    their smallest and greatest finite value. The white of an RGB image is 1 where all values lie
    below 2, and else all bits (at least 8) that the greatest value needs, such as 255 or 4,095.

    References
    ----------
    Lloyd S.P. (1982) Least squares quantization in PCM. IEEE Transactions on Information Theory
    28:129–137. :doi:`10.1109/TIT.1982.1056489`
    Arthur D., Vassilvitskii S. (2007) k-means++: the advantages of careful seeding. SODA
    1027–1035. :doi:`10.5555/1283383.1283494`
    """
    if _one_channel(image, features) and not position_weight and not texture_weight:
        channel = intensity(image)
        grouping = best_grouping(
            histogram(channel, bins=LEVELS), clusters=clusters, selection=selection
        )
        return digitise(channel, grouping.thresholds)
    voxel_features = features_of(image, features)
    if position_weight:
        voxel_features += position_features(voxel_features, spacing, position_weight)
    if texture_weight:
        neighbours = len(spacing) or min(len(voxel_features.shape), 3)
        voxel_features += texture_features(intensity(image), neighbours, texture_weight)
    fit = partial(lloyd.fit_points, restarts=restarts, tolerance=tolerance, seed=seed)
    summary = summarise(voxel_features)
    centers = _centers(voxel_features, summary.points, clusters, selection, fit)
    centers = lloyd.refine(voxel_features, summary, centers, tolerance=tolerance)
    order = np.argsort((centers * voxel_features.brightness).sum(1), kind="stable")
    return lloyd.assign(voxel_features, summary, centers[order])


def best_grouping(
    histogram: Histogram, *, clusters: int = 3, selection: Selection = "fixed"
) -> Grouping:
    """k-means of one channel, from its histogram alone.

    Parameters
    ----------
    histogram : Histogram
        Of the channel.
    clusters : int
        How many, or at most.
    selection : {"fixed", "elbow", "silhouette"}
        Criterion by which the number of clusters is selected.

    Returns
    -------
    Grouping
        With fewer clusters where there are fewer levels.
    """
    if not len(histogram.counts):
        return Grouping(np.empty(0), np.empty(0), 0.0)
    candidates = groupings(histogram, clusters)
    if selection == "fixed":
        return candidates[-1]
    if selection == "elbow":
        return candidates[elbow([grouping.inertia for grouping in candidates]) - 1]
    points = _typical(histogram, SILHOUETTES)
    scores = [
        silhouette(points[:, None], np.searchsorted(grouping.thresholds, points))
        for grouping in candidates
    ]
    return candidates[int(np.argmax(scores))]


def _typical(histogram: Histogram, size: int) -> NDArray[np.float64]:
    """Values at equal ranks: a sample of a histogram without chance."""
    total = np.cumsum(histogram.counts)
    ranks = (np.arange(size) + 0.5) / size * total[-1]
    values: NDArray[np.float64] = histogram.centers[np.searchsorted(total, ranks)]
    return values


def _centers(
    features: Features,
    points: Points,
    clusters: int,
    selection: Selection,
    fit: Callable[..., lloyd.Fit],
) -> Centers:
    """Centers on the summary of all voxels."""
    if not len(points.mass):
        return np.zeros((1, len(features.codes)))
    if selection == "fixed":
        return fit(points, clusters).centers
    fits = [fit(points, k) for k in range(1, clusters + 1)]
    if selection == "elbow":
        return fits[elbow([fit.inertia for fit in fits]) - 1].centers
    some = features.sample(SILHOUETTES) * np.asarray(features.weights)[:, None]
    scores = [silhouette(some.T, lloyd.numbered(some, fit.centers)) for fit in fits]
    return fits[int(np.argmax(scores))].centers


def _one_channel(image: Array, space: Space) -> bool:
    return space == "intensity" or (space == "channels" and len(image) == 1)


def features_of(image: Array, space: Space) -> Features:
    """What the voxels of an image (C, *S) are compared by."""
    if space in ("hsv", "lab"):
        return colour_features(image, space)
    return channel_features(intensity(image)[None] if space == "intensity" else image)


def intensity(image: Array) -> Array:
    """The mean of the channels of an image (C, *S); a single channel as it is."""
    channels = [real(channel) for channel in image]
    if len(channels) == 1:
        return channels[0]
    return map_blocks(_mean_of_channels, *channels, dtype=float_type(channels[0].dtype))


def _mean_of_channels(*channels: NDArray[Any]) -> NDArray[Any]:
    total = channels[0].astype(float_type(channels[0].dtype))
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean: NaN
        for channel in channels[1:]:
            total += channel
    total /= len(channels)
    return total
