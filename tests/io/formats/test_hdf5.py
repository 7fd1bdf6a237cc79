"""HDF5 with the data sets and attributes of PanSeg and ilastik, made by h5py."""

import json

import numpy as np
import pytest

from napari_segment import io
from napari_segment.cli import main
from napari_segment.errors import FormatError

h5py = pytest.importorskip("h5py")


@pytest.fixture
def panseg(tmp_path, rng):
    """A file as PanSeg has it: raw, label, a spacing, and one more."""
    path = tmp_path / "cells.h5"
    data = rng.integers(0, 255, (4, 5, 6)).astype(np.uint8)
    with h5py.File(path, "w") as file:
        file["raw"], file["label"], file["volumes/mean"] = data, data % 3, data[0]
        file["raw"].attrs["element_size_um"] = (2, 0.5, 0.25)
    return path, data


@pytest.mark.parametrize("lazy", [False, True])
def test_panseg(panseg, lazy):
    path, data = panseg
    image, labels = io.read(path, lazy=lazy), io.read_labels(path, lazy=lazy)
    np.testing.assert_array_equal(np.asarray(image.data), data)
    assert (image.spacing, image.unit) == ((2, 0.5, 0.25), "micrometer")
    np.testing.assert_array_equal(np.asarray(labels.data), data % 3)


def test_a_data_set_is_named_in_the_path(panseg, tmp_path):
    path, data = panseg
    np.testing.assert_array_equal(io.read(f"{path}::volumes/mean").data, data[0])
    assert main(["segment", "otsu", f"{path}::/volumes/mean", "-o", str(tmp_path / "o.tif")]) == 0
    assert io.read_labels(tmp_path / "o.tif").shape == (5, 6)
    with pytest.raises(FormatError, match=r"cells\.h5 holds.*raw \(4, 5, 6\).*cells\.h5::NAME"):
        io.read(f"{path}::other")


def test_axes_of_ilastik(tmp_path, rng):
    tags = {"axes": [{"key": k, "typeFlags": 2} for k in "tzyxc"]}
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["exported_data"] = rng.random((2, 3, 4, 5, 1)).astype(np.float32)
        file["exported_data"].attrs["axistags"] = json.dumps(tags)
    assert io.read(tmp_path / "a.h5").axes == "TZYXC"


def test_attributes_for_panseg_and_ilastik(tmp_path, volume):
    with h5py.File(io.write(volume, tmp_path / "a.h5")) as file:
        assert list(file["raw"].attrs["element_size_um"]) == [2, 0.5, 0.4]
        tags = json.loads(file["raw"].attrs["axistags"])
    assert [a["key"] for a in tags["axes"]] == ["z", "y", "x"]


def test_a_cut_file_is_named(tmp_path, volume):
    path = io.write(volume, tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(FormatError, match=r"a\.h5 cannot be read as HDF5"):
        io.read(path)
