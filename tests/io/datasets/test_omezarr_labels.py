"""OME-Zarr with labels in the same store."""

import numpy as np
import pytest

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import Labels
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs


def test_omezarr_with_labels(tmp_path, volume):
    path = io.write(volume, tmp_path / "a.ome.zarr")
    labels = Labels(
        np.asarray(volume.data > 9).astype(np.uint8), "ZYX", volume.spacing, volume.unit
    )
    io.write(labels, path / "labels" / "cells")
    io.write(labels, path / "labels" / "cells")  # again
    pairs = Pairs.of(tmp_path)
    image, actual = pairs.read(0)
    np.testing.assert_array_equal(np.asarray(image.data), volume.data)
    np.testing.assert_array_equal(np.asarray(actual.data), labels.data)
    np.testing.assert_array_equal(np.asarray(io.read_labels(path).data), labels.data)
    io.write(labels, path / "labels" / "nuclei")
    with pytest.raises(FormatError, match="cells, nuclei"):
        io.read_labels(path)
    assert io.read_labels(path, series="nuclei").shape == labels.shape
    import zarr

    assert zarr.open(path / "labels").attrs["ome"]["labels"] == ["cells", "nuclei"]
    assert open_layout(path, ("omezarr", {"labels": "nuclei"})).cases[0].name == "a"
