"""Random walks from markers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.classical.grid import checked, float_type, require_finite
from napari_segment.classical.regions.markers import checked_markers, seeds_of_two_classes
from napari_segment.classical.regions.memory_limit import require_memory
from napari_segment.image import Spacing, smallest_integers
from napari_segment.registry import methods

_BYTES = 640  # that scikit-image's linear system needs for a voxel


@methods.add(
    "random_walker",
    title="Random walker",
    gives="classes",
    group="regions from edges",
    whole="A walk may pass through every voxel: one linear system couples the whole image.",
)
def random_walker(
    image: Array,
    spacing: Spacing = (),
    markers: Array | None = None,
    *,
    beta: Annotated[float, Field(gt=0)] = 130.0,
    tolerance: Annotated[float, Field(ge=1e-12, le=0.1)] = 1e-3,
) -> NDArray[Any]:
    """Give each voxel the marker that a random walk from it reaches first most probably.

    Walks avoid steps across differences of intensity. Without markers, what is darker than the
    mean of the dark class of Otsu's threshold is marked as background, and what is brighter than
    the mean of the bright class as foreground, and only what lies between is decided.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, without NaN.
    markers : array of the image's shape, optional
        Positive numbers where a class is known, 0 elsewhere.
    beta : float
        How much differences of intensity hinder: the greater, the harder the boundaries.
    tolerance : float
        Of the conjugate gradients that solve the linear system. By 1e-3, one voxel in a hundred of
        an image of nuclei can be another marker's than by the exact solution; by 1e-5, five times
        as slow, two in a thousand.

    Returns
    -------
    array of unsigned integers
        Numbers of the markers; without markers 0 for dark and 1 for bright.

    References
    ----------
    L. Grady, "Random walks for image segmentation", IEEE Transactions on Pattern Analysis and
    Machine Intelligence 28(11), 1768–1783, 2006. :doi:`10.1109/TPAMI.2006.233`
    """
    spacing = checked(image, spacing)
    require_finite(image, "a random walk")
    require_memory(image, _BYTES, "A random walk")
    given = checked_markers(markers, image.shape)
    seeds = seeds_of_two_classes(image) if given is None else given
    labels = _walked(image, seeds, spacing, beta, tolerance)
    if given is None:
        labels = labels - 1
    return labels.astype(smallest_integers(int(labels.max(initial=0))))


def _walked(
    image: Array, seeds: NDArray[Any], spacing: Sequence[float], beta: float, tolerance: float
) -> NDArray[np.int64]:
    """Labels of all voxels; the numbers of the seeds may be any."""
    from skimage.segmentation import random_walker as walk

    numbers, ranks = np.unique(seeds, return_inverse=True)
    ranks = ranks.reshape(seeds.shape).astype(np.int64) + (
        0 if numbers.size and not numbers[0] else 1
    )
    numbers = numbers[numbers > 0].astype(np.int64)
    if (ranks > 0).all() or len(numbers) == 1:  # nothing is open, or there is but one answer
        return np.asarray(numbers[np.maximum(ranks - 1, 0)] if numbers.size else ranks)
    values = image.astype(np.promote_types(float_type(image.dtype), np.float64))
    span = values.std()
    if span > 0:
        values /= span
    else:  # nothing hinders, however much differences would
        values, beta = np.arange(values.size, dtype=np.float64).reshape(values.shape), 0.0
    distance = np.array(spacing) / min(spacing)
    classes = walk(
        values, ranks, beta=beta, mode="cg_j", tol=tolerance, spacing=distance, prob_tol=1
    )
    return np.asarray(numbers[classes - 1])
