"""Analyze, NIfTI pairs and colours, made by nibabel; LSM, made of the fields of its header."""

import nibabel
import numpy as np
import pytest
import tifffile

from napari_segment import io
from napari_segment.image import RGB


@pytest.mark.parametrize("name", ["a.hdr", "a.img"])
@pytest.mark.parametrize("lazy", [False, True])
def test_nifti_in_two_files(name, lazy, tmp_path, rng):
    data = rng.integers(0, 255, (5, 6, 7)).astype(np.uint8)
    nibabel.save(nibabel.Nifti1Pair(data.T, np.diag([2, 3, 4, 1.0])), tmp_path / "a.hdr")
    actual = io.read(tmp_path / name, lazy=lazy)
    np.testing.assert_array_equal(np.asarray(actual.data), data)
    assert actual.spacing == (4, 3, 2)
    assert [p.name for p in io.images_in(tmp_path)] == ["a.hdr"]


def test_analyze_says_what_it_does_not_know(tmp_path, rng):
    data = rng.integers(0, 255, (5, 6, 7)).astype(np.uint8)
    nibabel.save(nibabel.AnalyzeImage(data.T, np.diag([-2, 3, 4, 1.0])), tmp_path / "a.hdr")
    with pytest.warns(UserWarning, match="which side is left"):
        actual = io.read(tmp_path / "a.hdr")
    np.testing.assert_array_equal(actual.data, data)
    assert (actual.spacing, actual.unit) == ((4, 3, 2), "millimeter")


@pytest.mark.parametrize(("letters", "shape"), [("RGB", (7, 6, 5)), ("RGBA", (7, 6))])
def test_colours_of_nifti(letters, shape, tmp_path):
    voxels = np.zeros(shape, [(letter, "u1") for letter in letters])
    voxels["G"] = 9
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "a.nii.gz")
    actual = io.read(tmp_path / "a.nii.gz")
    assert actual.channels == (*RGB, "alpha")[: len(letters)]
    assert actual.take("C", 1).data.min() == 9
    assert actual.take("C", 0).data.max() == 0


def test_lsm(tmp_path, rng):
    data = rng.integers(0, 255, (5, 6, 8)).astype(np.uint8)
    info = np.zeros(1, np.dtype(list(tifffile.TIFF.CZ_LSMINFO)))
    fields = {
        "MagicNumber": 67127628, "StructureSize": info.dtype.itemsize, "DimensionX": 8,
        "DimensionY": 6, "DimensionZ": 5, "DimensionChannels": 1, "DimensionTime": 1,
        "VoxelSizeX": 0.25e-6, "VoxelSizeY": 0.5e-6, "VoxelSizeZ": 2e-6, "TimeIntervall": 3.0,
    }  # fmt: skip
    for name, value in fields.items():
        info[name] = value
    tag = (34412, 1, info.nbytes, info.tobytes(), True)
    with tifffile.TiffWriter(tmp_path / "a.lsm") as file:
        for number, plane in enumerate(data):
            more = {"metadata": None, "photometric": "minisblack"}
            file.write(plane, extratags=[] if number else [tag], **more)
            file.write(plane[::2, ::2], subfiletype=1, **more)
    actual = io.read(tmp_path / "a.lsm")
    np.testing.assert_array_equal(actual.data, data)
    assert actual.axes == "ZYX"
    assert actual.unit == "micrometer"
    np.testing.assert_allclose(actual.spacing, (2, 0.5, 0.25))
