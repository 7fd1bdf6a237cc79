"""Superpixels: many small regions of nearly one intensity."""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.classical.grid import (
    LONGEST,
    checked,
    float_type,
    in_voxels,
    require_finite,
)
from napari_segment.classical.regions.memory_limit import require_memory
from napari_segment.image import Spacing, smallest_integers
from napari_segment.registry import methods

_SLIC_BYTES = 40  # that scikit-image needs for a voxel
_MERGING_BYTES = 320


@methods.add(
    "slic",
    title="SLIC superpixels",
    gives="objects",
    group="superpixels",
    whole="The number of superpixels and their connectedness are those of the whole image.",
)
def slic(
    image: Array,
    spacing: Spacing = (),
    *,
    segments: Annotated[int, Field(ge=1, le=1_000_000)] = 250,
    compactness: Annotated[float, Field(ge=1e-6)] = 0.1,
    sigma: Annotated[float, Field(ge=0)] = 0.0,
) -> NDArray[Any]:
    """Cut the image into superpixels of about equal size by k-means on intensity and position.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, without NaN. Intensities are first brought to 0 to 1.
    segments : int
        About how many superpixels.
    compactness : float
        Weight of position against intensity; the greater, the more they are like cubes. Distances
        count in voxels of the finest axis, whatever the unit of the spacing.
    sigma : float
        Standard deviation of a Gaussian to smooth with before, in the unit of the spacing.

    Returns
    -------
    array of unsigned integers
        1, 2, …

    References
    ----------
    R. Achanta et al., "SLIC superpixels compared to state-of-the-art superpixel methods", IEEE
    Transactions on Pattern Analysis and Machine Intelligence 34(11), 2274–2282, 2012.
    :doi:`10.1109/TPAMI.2012.120`
    """
    from skimage.segmentation import slic as cluster

    spacing = checked(image, spacing)
    widths = in_voxels(sigma, spacing)
    require_finite(image, "a clustering")
    require_memory(image, _SLIC_BYTES, "A clustering into superpixels")
    if not image.size:
        return np.zeros(image.shape, np.uint8)
    labels: NDArray[Any] = cluster(
        _in_unit_range(image),
        n_segments=segments,
        compactness=compactness,
        sigma=widths,
        spacing=np.array(spacing) / min(spacing),
        channel_axis=None,
        start_label=1,
    )
    return np.asarray(labels, smallest_integers(int(labels.max())))


@methods.add(
    "felzenszwalb",
    title="Felzenszwalb and Huttenlocher",
    gives="objects",
    ndim=(2,),
    group="superpixels",
    whole="Regions are merged in the order of all differences in the image.",
)
def felzenszwalb(
    image: Array,
    *,
    scale: Annotated[float, Field(gt=0)] = 100.0,
    sigma: Annotated[float, Field(ge=0, le=LONGEST)] = 0.8,
    min_size: Annotated[int, Field(ge=1)] = 20,
) -> NDArray[Any]:
    """Merge pixels into regions while they differ less than the regions do within.

    Parameters
    ----------
    image : array (Y, X)
        Real numbers of any type, without NaN. Intensities are first brought to 0 to 1.
    scale : float
        The greater, the larger the regions.
    sigma : float
        Standard deviation in pixels of a Gaussian to smooth with before.
    min_size : int
        Regions of fewer pixels are joined to a neighbour.

    Returns
    -------
    array of unsigned integers
        1, 2, …

    References
    ----------
    P. F. Felzenszwalb and D. P. Huttenlocher, "Efficient graph-based image segmentation",
    International Journal of Computer Vision 59, 167–181, 2004.
    :doi:`10.1023/B:VISI.0000022288.19776.77`
    """
    from skimage.segmentation import felzenszwalb as merge

    checked(image)
    require_finite(image, "a merging of regions")
    require_memory(image, _MERGING_BYTES, "A merging of regions")
    if not image.size:
        return np.zeros(image.shape, np.uint8)
    labels = merge(
        _in_unit_range(image), scale=scale, sigma=sigma, min_size=min_size, channel_axis=None
    )
    return np.asarray(labels + 1, smallest_integers(int(labels.max()) + 1))


def _in_unit_range(image: Array) -> NDArray[Any]:
    values: NDArray[Any] = np.array(image, float_type(image.dtype), order="C")
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if high > low else np.zeros_like(values)
