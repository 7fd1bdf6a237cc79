"""A file that is replaced by one of the same date and size is another file."""

import os
import shutil

import numpy as np
import tifffile

from napari_segment.io import read
from napari_segment.io.changed import state_of


def replaced(path, other):
    """Put another file's contents into a file, and give it the date that it had."""
    date = path.stat().st_mtime_ns
    shutil.copyfile(other, path)
    os.utime(path, ns=(date, date))


def test_a_restored_date_hides_nothing(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc"), two.write_bytes(b"xyz")
    before = state_of(one)
    assert state_of(one) == before
    replaced(one, two)
    assert state_of(one) != before


def test_a_lazy_tiff_is_opened_again(tmp_path):
    one, two = tmp_path / "one.tif", tmp_path / "two.tif"
    tifffile.imwrite(one, np.zeros((8, 9), np.uint8))
    tifffile.imwrite(two, np.ones((8, 9), np.uint8))
    assert not np.asarray(read(one, axes="YX", lazy=True).data).any()
    replaced(one, two)
    assert np.asarray(read(one, axes="YX", lazy=True).data).all()
