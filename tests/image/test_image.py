"""Image and Labels: roles by name, geometry checked and preserved."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.image import Image


def test_channels_by_index_and_name():
    image = Image(np.zeros((2, 4, 5)), "CYX", channels=("dapi", "gfp"))
    assert image.channel("gfp").axes == "YX"
    assert image.channel(-1).shape == (4, 5)
    with pytest.raises(InputError, match=r"no channel 2.*2 channels \(dapi, gfp\)"):
        image.channel(2)
    with pytest.raises(InputError, match="2 channels"):
        Image(np.zeros((2, 4, 5)), "CYX", channels=("one",))
