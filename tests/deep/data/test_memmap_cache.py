"""The memory-mapped cache."""

import numpy as np
import pytest

from napari_segment.deep.data.memmap_cache import MemmapCache
from napari_segment.errors import InputError


def test_a_full_disk_is_said(tmp_path):
    with pytest.raises(InputError, match="Make room"):
        MemmapCache(tmp_path).new((10**6, 10**6, 10**3), np.float32)
