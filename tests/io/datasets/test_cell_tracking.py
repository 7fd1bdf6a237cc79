"""The Cell Tracking Challenge as it lies on disk."""

import numpy as np
import pytest

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs


@pytest.fixture
def sequence(tmp_path):
    """Three frames, of which two have outlines and all have markers; cell 1 divides."""
    for time in range(3):
        io.write(Image(np.full((4, 5), time, np.uint8), "YX"), tmp_path / f"01/t{time:03}.tif")
        markers = np.zeros((4, 5), np.uint16)
        markers[0, 0] = 1 if time < 2 else 2
        markers[3, 3] = 3 if time == 2 else 0
        path = tmp_path / f"01_GT/TRA/man_track{time:03}.tif"
        io.write(Labels(markers, "YX"), path)
    for time in (0, 2):
        outline = np.zeros((4, 5), np.uint16)
        outline[:2, :2] = 7 + time
        io.write(Labels(outline, "YX"), tmp_path / f"01_GT/SEG/man_seg{time:03}.tif")
    (tmp_path / "01_GT/TRA/man_track.txt").write_text("1 0 1 0\n2 2 2 1\n3 2 2 1\n")
    return tmp_path


def test_outlines_of_the_cell_tracking_challenge(sequence):
    pairs = Pairs.of(sequence)
    assert [c.name for c in pairs] == ["01_t000", "01_t002"]
    image, labels = pairs.read(1)
    assert image.data[0, 0] == 2
    assert np.unique(labels.data).tolist() == [0, 9]


def test_tracks_of_the_cell_tracking_challenge(sequence):
    pairs = open_layout(sequence, ("cell_tracking", {"truth": "TRA"}))
    image = pairs.read_image(0)
    labels = pairs.cases[0].labels()
    assert (image.axes, image.shape, labels.axes) == ("TYX", (3, 4, 5), "TYX")
    assert labels.data[:, 0, 0].tolist() == [1, 1, 2]
    assert labels.header["lineage"] == ((1, 0, 1, 0), (2, 2, 2, 1), (3, 2, 2, 1))
    (sequence / "01_GT/TRA/man_track.txt").write_text("1 0 1 5\n")
    with pytest.raises(FormatError, match="parent 5, which is no track"):
        open_layout(sequence, ("cell_tracking", {"truth": "TRA"}))


def test_single_slices_of_the_cell_tracking_challenge(tmp_path):
    volume = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    io.write(Image(volume, "ZYX"), tmp_path / "01/t000.tif")
    outline = np.zeros((4, 5), np.uint16)
    outline[0] = 4
    io.write(Labels(outline, "YX"), tmp_path / "01_GT/SEG/man_seg_000_002.tif")
    pairs = Pairs.of(tmp_path)
    image, labels = pairs.read(0)
    np.testing.assert_array_equal(image.data, volume[2])
    np.testing.assert_array_equal(labels.data, outline)
