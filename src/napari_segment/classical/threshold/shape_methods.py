"""Thresholds by the shape of the histogram, as methods."""

from __future__ import annotations

from napari_segment.arrays import Array
from napari_segment.classical.histogram import Bins
from napari_segment.classical.threshold import shape
from napari_segment.classical.threshold.binarise import Objects, binarise_by
from napari_segment.registry import methods

GROUP = "global threshold"


@methods.add("minimum", title="Minimum threshold", gives="mask", group=GROUP, pointwise=True)
def minimum(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate at the lowest point between the two modes of the histogram.

    The histogram is smoothed by running means of three until two modes are left.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.

    Returns
    -------
    array of bool (*S)
        Empty where the histogram has only one mode.

    References
    ----------
    Prewitt J.M.S., Mendelsohn M.L. (1966) The analysis of cell images. Annals of the New York
    Academy of Sciences 128:1035–1053. :doi:`10.1111/j.1749-6632.1965.tb11715.x`
    """
    return binarise_by(image, shape.minimum, bins=bins, objects=objects)


@methods.add("intermodes", title="Intermodes threshold", gives="mask", group=GROUP, pointwise=True)
def intermodes(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate midway between the two modes of the histogram.

    The histogram is smoothed by running means of three until two modes are left.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.

    Returns
    -------
    array of bool (*S)
        Empty where the histogram has only one mode.

    References
    ----------
    Prewitt J.M.S., Mendelsohn M.L. (1966) The analysis of cell images. Annals of the New York
    Academy of Sciences 128:1035–1053. :doi:`10.1111/j.1749-6632.1965.tb11715.x`
    """
    return binarise_by(image, shape.intermodes, bins=bins, objects=objects)


@methods.add("moments", title="Moments threshold", gives="mask", group=GROUP, pointwise=True)
def moments(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate so that an image of two levels would have the same first three moments.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.

    Returns
    -------
    array of bool (*S)
        Empty where all finite values are equal.

    References
    ----------
    Tsai W.-H. (1985) Moment-preserving thresholding: a new approach. Computer Vision, Graphics,
    and Image Processing 29:377–393. :doi:`10.1016/0734-189X(85)90133-1`
    """
    return binarise_by(image, shape.moments, bins=bins, objects=objects)


@methods.add(
    "kittler_illingworth",
    title="Kittler–Illingworth threshold",
    gives="mask",
    group=GROUP,
    pointwise=True,
)
def kittler_illingworth(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate with the least error of two normal distributions fitted to the classes.

    Every level is tried. Suits classes of unequal size and spread.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.

    Returns
    -------
    array of bool (*S)
        Empty where all finite values are equal.

    References
    ----------
    Kittler J., Illingworth J. (1986) Minimum error thresholding. Pattern Recognition 19:41–47.
    :doi:`10.1016/0031-3203(86)90030-0`
    """
    return binarise_by(image, shape.kittler_illingworth, bins=bins, objects=objects)
