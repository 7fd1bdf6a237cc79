"""Filters: from an image to an image. Importing this package registers them."""

from napari_segment.classical.filters.background import rolling_ball, top_hat
from napari_segment.classical.filters.channels import channels
from napari_segment.classical.filters.contrast import clahe, invert, percentile_normalise
from napari_segment.classical.filters.denoise import bilateral, nonlocal_means, total_variation
from napari_segment.classical.filters.gaussian import gaussian
from napari_segment.classical.filters.median import median
from napari_segment.classical.filters.noise import noise_level
from napari_segment.classical.filters.resample import isotropic

__all__ = [
    "bilateral",
    "channels",
    "clahe",
    "gaussian",
    "invert",
    "isotropic",
    "median",
    "noise_level",
    "nonlocal_means",
    "percentile_normalise",
    "rolling_ball",
    "top_hat",
    "total_variation",
]
