"""The memory-mapped cache."""

import numpy as np
import pytest

from napari_segment.deep.data.memmap_cache import MemmapCache
from napari_segment.errors import InputError


def test_a_full_disk_is_said(tmp_path):
    with pytest.raises(InputError, match="Make room"):
        MemmapCache(tmp_path).new((10**6, 10**6, 10**3), np.float32)


def test_what_an_earlier_training_left_is_thrown_away(tmp_path):
    """A killed process leaves its files; the next training of the folder has other pixels."""
    left = MemmapCache(tmp_path / "cache").new((2, 3), np.float32)
    left[:] = 7
    left.flush()
    again = MemmapCache(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
    assert not again.new((2, 3), np.float32).any()
