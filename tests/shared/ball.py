"""A volume with one ball, whose surface is known."""

import numpy as np

from napari_segment import Image

SPACING = (3.0, 1.0, 1.0)
CENTRE = (21.3, 15.2, 16.4)
RADIUS = 10.0


def deep_ball():
    """A ball of radius 10 whose voxels are three times as deep as wide."""
    grid = np.indices((15, 31, 33)) * np.reshape(SPACING, (3, 1, 1, 1))
    away = np.sqrt(((grid - np.reshape(CENTRE, (3, 1, 1, 1))) ** 2).sum(0))
    data = np.clip(RADIUS + 0.5 - away, 0, 1) * 1000
    return Image(data.astype(np.float32), "ZYX", SPACING, unit="micrometer")
