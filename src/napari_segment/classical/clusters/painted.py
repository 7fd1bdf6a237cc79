"""The clustered image: every voxel shows the mean of its cluster."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.blocks import is_lazy, map_blocks
from napari_segment.classical.clusters.choose import Choose
from napari_segment.classical.clusters.features import Space, of_channels
from napari_segment.classical.clusters.kmeans import GROUP, Clusters, kmeans
from napari_segment.classical.clusters.lloyd import means_of
from napari_segment.registry import filters


@filters.add("kmeans_image", title="k-means image", group=GROUP, channels="many", pointwise=True)
def kmeans_image(  # noqa: PLR0913
    image: Any,
    spacing: Sequence[float] = (),
    *,
    clusters: Clusters = 3,
    choose: Choose = "fixed",
    features: Space = "channels",
    position: Annotated[float, Field(ge=0, le=100)] = 0.0,
    texture: Annotated[float, Field(ge=0, le=100)] = 0.0,
    restarts: Annotated[int, Field(ge=1, le=100)] = 8,
    tolerance: Annotated[float, Field(ge=0, lt=1)] = 1e-4,
    seed: Annotated[int, Field(ge=0)] = 0,
) -> Any:
    """Show each voxel as the mean of its cluster: a picture in k levels or colours.

    Parameters
    ----------
    image : array (C, *S)
        Real numbers.
    spacing : sequence of float
        Distance between neighbours along the spatial axes, for `position`.
    clusters : int
        How many; the greatest number where `choose` finds it.
    choose : {"fixed", "elbow", "silhouette"}
        How the number is found, as in the method `kmeans`.
    features : {"channels", "intensity", "hsv", "lab"}
        What voxels are compared by, as in the method `kmeans`.
    position : float
        Weight of the place: at 1 the longest side counts as much as the range of intensities.
    texture : float
        Weight of the standard deviation of the intensity around a voxel, as in `kmeans`.
    restarts : int
        Starts on the summary, of which the best is taken.
    tolerance : float
        Rounds over all voxels end when they gain less than this part of the variance between
        clusters.
    seed : int
        Of the random starts.

    Returns
    -------
    array (C, *S)
        Of the image's type; means are rounded to whole numbers where that is of integers. NaN
        stays NaN.
    """
    labels = kmeans(
        image, spacing, clusters=clusters, choose=choose, features=features, position=position,
        texture=texture, restarts=restarts, tolerance=tolerance, seed=seed,
    )  # fmt: skip
    means = means_of(of_channels(image), labels, clusters)
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
