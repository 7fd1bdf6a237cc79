"""Thresholds by entropy, as methods."""

from __future__ import annotations

from napari_segment.arrays import Array
from napari_segment.classical.histogram import Bins
from napari_segment.classical.threshold import entropy
from napari_segment.classical.threshold.binarise import Objects, binarise_by
from napari_segment.registry import methods

GROUP = "global threshold"


@methods.add("huang", title="Huang threshold", gives="mask", group=GROUP, pointwise=True)
def huang(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate with the least fuzziness of belonging to the nearer of two class means.

    Up to 1,024 levels are all tried; of more, a grid of them and the neighbourhood of its best.

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
    Huang L.-K., Wang M.-J.J. (1995) Image thresholding by minimizing the measures of fuzziness.
    Pattern Recognition 28:41–51. :doi:`10.1016/0031-3203(94)E0043-K`
    """
    return binarise_by(image, entropy.huang, bins=bins, objects=objects)


@methods.add(
    "max_entropy", title="Maximum entropy threshold", gives="mask", group=GROUP, pointwise=True
)
def max_entropy(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate with the greatest sum of the entropies of the two classes.

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
    Kapur J.N., Sahoo P.K., Wong A.K.C. (1985) A new method for gray-level picture thresholding
    using the entropy of the histogram. Computer Vision, Graphics, and Image Processing
    29:273–285. :doi:`10.1016/0734-189X(85)90125-2`
    """
    return binarise_by(image, entropy.max_entropy, bins=bins, objects=objects)


@methods.add(
    "renyi_entropy", title="Rényi entropy threshold", gives="mask", group=GROUP, pointwise=True
)
def renyi_entropy(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate at a mean of the best levels by Rényi entropies of order 1/2, 1 and 2.

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
    Sahoo P., Wilkins C., Yeager J. (1997) Threshold selection using Renyi's entropy. Pattern
    Recognition 30:71–84. :doi:`10.1016/S0031-3203(96)00065-9`
    """
    return binarise_by(image, entropy.renyi_entropy, bins=bins, objects=objects)


@methods.add("shanbhag", title="Shanbhag threshold", gives="mask", group=GROUP, pointwise=True)
def shanbhag(image: Array, *, bins: Bins = 256, objects: Objects = "bright") -> Array:
    """Separate with the least difference of information between two fuzzy classes.

    Up to 1,024 levels are all tried; of more, a grid of them and the neighbourhood of its best.

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
    Shanbhag A.G. (1994) Utilization of information measure as a means of image thresholding.
    CVGIP: Graphical Models and Image Processing 56:414–419. :doi:`10.1006/cgip.1994.1037`
    """
    return binarise_by(image, entropy.shanbhag, bins=bins, objects=objects)
