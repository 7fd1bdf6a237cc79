"""Thresholds of the global methods, computed from a histogram alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from napari_segment.classical.histogram import Histogram
from napari_segment.classical.threshold import criteria, entropy, shape
from napari_segment.classical.threshold.criteria import Criterion
from napari_segment.classical.threshold.multilevel import multi_otsu_thresholds
from napari_segment.errors import UnknownNameError

CRITERIA: Mapping[str, Criterion] = MappingProxyType(
    {
        "mean": criteria.mean,
        "otsu": criteria.otsu,
        "isodata": criteria.isodata,
        "li": criteria.li,
        "triangle": criteria.triangle,
        "yen": criteria.yen,
        "minimum": shape.minimum,
        "intermodes": shape.intermodes,
        "moments": shape.moments,
        "kittler_illingworth": shape.kittler_illingworth,
        "huang": entropy.huang,
        "max_entropy": entropy.max_entropy,
        "renyi_entropy": entropy.renyi_entropy,
        "shanbhag": entropy.shanbhag,
    }
)


def has_criterion(name: str) -> bool:
    """Whether `thresholds` computes those of a method; it does not for methods of plug-ins."""
    return name == "multi_otsu" or name in CRITERIA


def thresholds(name: str, histogram: Histogram, *, classes: int = 3) -> tuple[float, ...]:
    """Thresholds of a global method, from an image's histogram.

    Parameters
    ----------
    name : str
        A method of the group "global threshold", such as "otsu" or "multi_otsu".
    histogram : Histogram
        Of the image, made with the method's own `bins`.
    classes : int
        Of "multi_otsu": how many classes its thresholds separate.

    Returns
    -------
    tuple of float
        Rising; empty where there is nothing to separate. Values above a threshold lie on its
        bright side.

    Examples
    --------
    >>> from napari_segment.classical.threshold import histogram
    >>> thresholds("otsu", histogram(np.array([[1, 2, 9, 8]])))
    (2.0,)
    """
    if name == "multi_otsu":
        return multi_otsu_thresholds(histogram, classes=classes)
    if not has_criterion(name):
        raise UnknownNameError("global threshold", name, (*CRITERIA, "multi_otsu"))
    threshold = CRITERIA[name](histogram)
    return () if np.isnan(threshold) else (threshold,)
