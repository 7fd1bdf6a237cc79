"""What tests of several commands share."""

import numpy as np
import pytest

from napari_segment import Image, write


@pytest.fixture
def cells(tmp_path):
    """A small image file: two balls on a dark ground, in micrometers."""
    z, y, x = np.mgrid[:6, :20, :24]
    data = np.full(z.shape, 20, np.uint8)
    data[(y - 6) ** 2 + (x - 6) ** 2 < 16] = 200
    data[(y - 13) ** 2 + (x - 16) ** 2 < 25] = 180
    path = tmp_path / "cells.tif"
    write(Image(data, "ZYX", spacing=(2, 0.5, 0.5), unit="micrometer"), path)
    return path
