"""Thresholds that are found in the histogram."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.classical.histogram import (
    Bins,
    exact_mean,
    finite_range,
    histogram,
)
from napari_segment.classical.threshold import criteria
from napari_segment.classical.threshold.binarise import (
    Objects,
    binarise,
    binarise_by,
    digitise,
)
from napari_segment.classical.threshold.multilevel import multi_otsu_thresholds
from napari_segment.registry import methods

GROUP = "global threshold"


@methods.add("mean", title="Mean threshold", gives="mask", group=GROUP, pointwise=True)
def mean(image: Array, *, objects: Objects = "bright") -> Array:
    """Separate at the mean of the finite values, summed without rounding.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.
    objects : {"bright", "dark"}
        "bright" for the values above the mean.

    Returns
    -------
    array of bool (*S)
        Empty where all finite values are equal.

    Examples
    --------
    >>> import numpy as np
    >>> mean(np.array([[1, 2, 6]]))
    array([[False, False,  True]])
    """
    low, high = finite_range(image)
    return binarise(image, exact_mean(image) if low < high else float("nan"), objects)


@methods.add("otsu", title="Otsu threshold", gives="mask", group=GROUP, pointwise=True)
def otsu(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate two classes where the variance between them is largest.

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
    Otsu N. (1979) A threshold selection method from gray-level histograms. IEEE Transactions on
    Systems, Man, and Cybernetics 9:62–66. :doi:`10.1109/TSMC.1979.4310076`

    Examples
    --------
    >>> import numpy as np
    >>> otsu(np.array([[1, 2, 9, 8]]))
    array([[False, False,  True,  True]])
    """
    return binarise_by(image, criteria.otsu, bins=bins, objects=objects)


@methods.add("isodata", title="Isodata threshold", gives="mask", group=GROUP, pointwise=True)
def isodata(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate at the lowest level that lies midway between the means of its two classes.

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
    Ridler T.W., Calvard S. (1978) Picture thresholding using an iterative selection method. IEEE
    Transactions on Systems, Man, and Cybernetics 8:630–632. :doi:`10.1109/TSMC.1978.4310039`
    """
    return binarise_by(image, criteria.isodata, bins=bins, objects=objects)


@methods.add("li", title="Li threshold", gives="mask", group=GROUP, pointwise=True)
def li(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate with the least cross entropy between the image and its two class means.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.

    Returns
    -------
    array of bool (*S)
        Empty where all finite values are equal.

    Notes
    -----
    Intensities are taken from the smallest value, as logarithms of means need. The iteration
    starts at the mean and ends when it moves by less than half a level or bin.

    References
    ----------
    Li C.H., Tam P.K.S. (1998) An iterative algorithm for minimum cross entropy thresholding.
    Pattern Recognition Letters 19:771–776. :doi:`10.1016/S0167-8655(98)00057-9`
    """
    return binarise_by(image, criteria.li, bins=bins, objects=objects)


@methods.add("triangle", title="Triangle threshold", gives="mask", group=GROUP, pointwise=True)
def triangle(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate where the histogram is farthest below the line from its peak to its longer tail.

    Suits few objects on a background that makes the peak.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is background.

    Returns
    -------
    array of bool (*S)
        Empty where all finite values are equal, or the histogram is nowhere below the line.

    References
    ----------
    Zack G.W., Rogers W.E., Latt S.A. (1977) Automatic measurement of sister chromatid exchange
    frequency. Journal of Histochemistry and Cytochemistry 25:741–753. :doi:`10.1177/25.7.70454`
    """
    return binarise_by(image, criteria.triangle, bins=bins, objects=objects)


@methods.add("yen", title="Yen threshold", gives="mask", group=GROUP, pointwise=True)
def yen(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate where the two classes correlate most with themselves.

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
    Yen J.C., Chang F.J., Chang S. (1995) A new criterion for automatic multilevel thresholding.
    IEEE Transactions on Image Processing 4:370–378. :doi:`10.1109/83.366472`
    """
    return binarise_by(image, criteria.yen, bins=bins, objects=objects)


@methods.add("multi_otsu", title="Multi-Otsu", gives="classes", group=GROUP, pointwise=True)
def multi_otsu(
    image: Array,
    *,
    classes: Annotated[int, Field(ge=2, le=32)] = 3,
    bins: Bins = 256,
    objects: Objects = "bright",
) -> Array:
    """Separate several classes where the variance between them is largest, exactly.

    Parameters
    ----------
    image : array (*S)
        Real numbers. NaN is in class 0.
    classes : int
        How many, background included. Where fewer levels occur, each is a class.
    objects : {"bright", "dark"}
        "bright" numbers the classes from 0, the darkest; "dark" from 0, the brightest.

    Returns
    -------
    array of uint8 (*S)
        Classes 0 to `classes` − 1.

    Notes
    -----
    Solved by dynamic programming over the levels. A search for the best first level of a class
    needs only half of those of its neighbours, so n levels take n log n steps a class.

    References
    ----------
    Liao P.-S., Chen T.-S., Chung P.-C. (2001) A fast algorithm for multilevel thresholding.
    Journal of Information Science and Engineering 17:713–727.
    Luessi M. et al. (2009) Framework for efficient optimal multilevel image thresholding. Journal
    of Electronic Imaging 18:013004. :doi:`10.1117/1.3073891`

    Examples
    --------
    >>> import numpy as np
    >>> multi_otsu(np.array([[1, 2, 9, 8, 20]]))
    array([[0, 0, 1, 1, 2]], dtype=uint8)
    """
    thresholds = multi_otsu_thresholds(histogram(image, bins=bins), classes=classes)
    return digitise(image, thresholds, objects)
