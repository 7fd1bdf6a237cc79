"""Analyze, NIfTI pairs and colours, made by nibabel; LSM and STK, made of their fields."""

import struct

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
    assert actual.interval == 3.0


def stk(path, data, distances, created):
    """Write a MetaMorph file byte by byte: one directory, planes one after another, UIC tags."""
    planes, height, width = data.shape
    content = bytearray(b"II*\0" + struct.pack("<I", 0))

    def put(added):
        start = len(content)
        content.extend(added)
        return start

    pixels = put(data.tobytes())
    calibration = [put(struct.pack("<2I", *ratio)) for ratio in ((1, 4), (1, 2))]
    units = put(struct.pack("<I", 3) + b"um\0")
    own = put(struct.pack("<6I", 4, calibration[0], 5, calibration[1], 6, units))
    rows = [(d, 2, 2_459_000, c, 0, 0) for d, c in zip(distances, created, strict=True)]
    second = put(np.array(rows, "<u4").tobytes())
    size = height * width * data.itemsize
    entries = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8 * data.itemsize), (259, 3, 1, 1),
        (262, 3, 1, 1), (273, 4, 1, pixels), (277, 3, 1, 1), (278, 4, 1, height),
        (279, 4, 1, size), (33628, 4, 3, own), (33629, 5, planes, second),
    ]  # fmt: skip
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries)
    content[4:8] = struct.pack("<I", put(directory + struct.pack("<I", 0)))
    path.write_bytes(content)


@pytest.mark.parametrize("lazy", [False, True])
def test_stk(tmp_path, rng, lazy):
    data = rng.integers(0, 4000, (5, 6, 8)).astype("<u2")
    stk(tmp_path / "a.stk", data, distances=[3] * 5, created=[0] * 5)
    actual = io.read(tmp_path / "a.stk", lazy=lazy)
    np.testing.assert_array_equal(np.asarray(actual.data), data)
    assert (actual.axes, actual.unit) == ("ZYX", "micrometer")
    assert actual.spacing == (1.5, 0.5, 0.25)
    stk(tmp_path / "b.stk", data, distances=[0] * 5, created=range(0, 10_000, 2000))
    moving = io.read(tmp_path / "b.stk", lazy=lazy)
    np.testing.assert_array_equal(np.asarray(moving.data), data)
    assert (moving.axes, moving.interval) == ("TYX", 2.0)
    assert moving.spacing == (0.5, 0.25)
