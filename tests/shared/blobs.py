"""Random objects of any form, numbered with gaps, and intensities for them."""

import numpy as np
from scipy import ndimage as ndi
from skimage import measure as skimage_measure

SPACING = {2: (0.5, 0.3), 3: (2.0, 0.5, 0.3)}


def objects(ndim, seed=0):
    shape = {2: (60, 83), 3: (20, 31, 27)}[ndim]
    smooth = ndi.gaussian_filter(np.random.default_rng(seed).random(shape), 1.2)
    labels = skimage_measure.label(smooth > np.quantile(smooth, 0.6), connectivity=1)
    labels[labels > 40] = 0
    return (labels * 2).astype(np.uint16)  # with gaps in the numbers


def intensities(shape, dtype=np.uint16):
    return (np.random.default_rng(5).random(shape) * 5000).astype(dtype)
