"""The clustered image: every voxel shows the mean of its cluster."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import is_lazy, map_blocks
from napari_segment.classical.clusters.features import Space, channel_features
from napari_segment.classical.clusters.kmeans import (
    GROUP,
    Clusters,
    PositionWeight,
    Restarts,
    Seed,
    TextureWeight,
    Tolerance,
    kmeans,
)
from napari_segment.classical.clusters.lloyd import means_of
from napari_segment.classical.clusters.selection import Selection
from napari_segment.image import Spacing
from napari_segment.registry import filters


@filters.add("kmeans_image", title="k-means image", group=GROUP, channels="many", pointwise=True)
def kmeans_image(  # noqa: PLR0913
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
    """Show each voxel as the mean of its cluster: a picture in k levels or colours.

    Parameters
    ----------
    image : array (C, *S)
        Real numbers.
    spacing : sequence of float
        Distance between neighbours along the spatial axes, for `position_weight`.

    Returns
    -------
    array (C, *S)
        Of the image's type; means are rounded to whole numbers where that is of integers. NaN
        stays NaN.
    """
    labels = kmeans(
        image, spacing, clusters=clusters, selection=selection, features=features,
        position_weight=position_weight, texture_weight=texture_weight, restarts=restarts,
        tolerance=tolerance, seed=seed,
    )  # fmt: skip
    means = means_of(channel_features(image), labels, clusters)
    channels = [
        map_blocks(partial(_painted, means=row), labels, channel, dtype=image.dtype)
        for row, channel in zip(means.T, image, strict=True)
    ]
    if not is_lazy(image):
        return np.stack(channels)
    import dask.array as da

    return da.stack(channels)


def _painted(
    labels: NDArray[np.uint8], block: NDArray[Any], *, means: NDArray[np.float64]
) -> NDArray[Any]:
    if block.dtype.kind != "f":
        return np.rint(np.nan_to_num(means)).astype(block.dtype)[labels]
    painted: NDArray[Any] = means.astype(block.dtype)[labels]
    painted[np.isnan(block)] = np.nan
    return painted
