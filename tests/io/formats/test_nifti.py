import nibabel
import numpy as np
import pytest

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels


def save(path, data, affine, **header):
    image = nibabel.Nifti1Image(data, affine)
    for key, value in header.items():
        image.header[key] = value
    nibabel.save(image, path)
    return path


def test_a_voxel_lies_where_nibabel_says(tmp_path, turned, rng):
    affine = np.eye(4)
    affine[:3] = rng.normal(size=(3, 4))
    data = rng.integers(0, 99, (6, 7, 8)).astype(np.int16)
    actual = io.read(save(tmp_path / "a.nii.gz", data, affine))
    assert actual.shape == (8, 7, 6)
    for x, y, z in [(0, 0, 0), (5, 2, 7), (1, 6, 3)]:
        assert actual.data[z, y, x] == data[x, y, z]
        expected = (affine @ [x, y, z, 1])[:3]
        np.testing.assert_allclose((actual.world() @ [z, y, x, 1])[:3], expected[::-1], atol=1e-5)
    path = io.write(turned, tmp_path / "b.nii.gz")
    again = nibabel.load(path)
    expected = (turned.world() @ [4, 3, 2, 1])[:3][::-1]
    np.testing.assert_allclose((again.affine @ [2, 3, 4, 1])[:3], expected, atol=1e-5)
    assert again.dataobj[2, 3, 4] == turned.data[4, 3, 2]


@pytest.mark.parametrize("codes", [(1, 0), (0, 2), (1, 1), (3, 4), (1, 2), (0, 0)])
def test_codes_affines_and_zooms_survive(tmp_path, codes, rng):
    """From file to file, also where qform and sform differ."""
    angle = np.radians(20)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    first = nibabel.Nifti1Image(rng.integers(0, 9, (5, 6, 7)).astype(np.int16), None)
    first.header.set_zooms((0.7, 0.8, 3))
    qform, sform = np.eye(4), np.diag([-0.7, 0.8, 3, 1])
    qform[:3, :3], qform[:3, 3] = turn * (0.7, 0.8, 3), (1, 2, 3)
    first.set_qform(qform, codes[0])
    first.set_sform(sform, codes[1])
    first.header.set_xyzt_units("micron", "msec")
    nibabel.save(first, tmp_path / "a.nii")
    image = io.read(tmp_path / "a.nii")
    labels = Labels((image.data > 4), "ZYX", **image.geometry())
    for stack in (image, labels):
        again = nibabel.load(io.write(stack, tmp_path / "b.nii.gz"))
        assert (int(again.header["qform_code"]), int(again.header["sform_code"])) == codes
        np.testing.assert_allclose(
            again.get_qform(), nibabel.load(tmp_path / "a.nii").get_qform(), atol=1e-5
        )
        np.testing.assert_allclose(again.affine, nibabel.load(tmp_path / "a.nii").affine, atol=1e-5)
        np.testing.assert_allclose(again.header.get_zooms(), (0.7, 0.8, 3), rtol=1e-6)
        assert again.header.get_xyzt_units() == ("micron", "msec")


def test_a_cropped_stack_takes_its_new_origin(tmp_path, rng):
    path = save(
        tmp_path / "a.nii", rng.integers(0, 9, (5, 6, 7)).astype(np.int16), np.diag([2, 3, 4, 1])
    )
    image = io.read(path)
    affine = image.world().copy()
    affine[:3, 3] = affine[:3, :3] @ (2, 0, 1)
    cropped = image.replace(data=image.data[2:, :, 1:], affine=affine)
    again = nibabel.load(io.write(cropped, tmp_path / "b.nii"))
    np.testing.assert_allclose(again.affine[:3, 3], (2, 0, 8))


def test_scaled_values(tmp_path):
    stored = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    image = nibabel.Nifti1Image(stored, np.eye(4))
    image.header.set_slope_inter(0.5, -10)
    nibabel.save(image, tmp_path / "a.nii.gz")
    for lazy in (False, True):
        actual = io.read(tmp_path / "a.nii.gz", lazy=lazy)
        assert actual.dtype == np.float32
        expected = np.asanyarray(nibabel.load(tmp_path / "a.nii.gz").dataobj)
        np.testing.assert_allclose(np.asarray(actual.data), expected.T)


@pytest.mark.parametrize(
    ("shape", "axes", "expected"),
    [
        ((5, 6), "YX", (6, 5)),
        ((5, 6, 7), "ZYX", (7, 6, 5)),
        ((5, 6, 7, 2), "TZYX", (2, 7, 6, 5)),
        ((5, 6, 7, 1, 3), "CZYX", (3, 7, 6, 5)),
        ((5, 6, 7, 2, 3), "CTZYX", (3, 2, 7, 6, 5)),
    ],
)
def test_axes_of_other_numbers(tmp_path, rng, shape, axes, expected):
    data = rng.random(shape).astype(np.float32)
    actual = io.read(save(tmp_path / "a.nii.gz", data, np.diag([1, 2, 3, 1])))
    assert (actual.axes, actual.shape) == (axes, expected)
    assert actual.spacing == ((3, 2, 1) if "Z" in axes else (2, 1))
    assert io.read(save(tmp_path / "b.nii.gz", data, np.eye(4)), lazy=True).shape == expected


def test_modalities_in_the_axis_of_time(tmp_path, rng):
    path = save(tmp_path / "a.nii.gz", rng.random((5, 6, 7, 4)), np.eye(4))
    assert io.read(path, axes="CZYX").size("C") == 4


def test_labels_stored_as_floats(tmp_path, rng):
    data = rng.integers(0, 3, (5, 6, 7)).astype(np.float32)
    path = save(tmp_path / "a.nii.gz", data, np.eye(4))
    for lazy in (False, True):
        actual = io.read_labels(path, lazy=lazy)
        assert actual.dtype.kind == "u"
        np.testing.assert_array_equal(np.asarray(actual.data), data.T)


def test_complex_numbers_are_refused(tmp_path):
    data = np.zeros((5, 6, 7), np.complex64)
    path = save(tmp_path / "a.nii", data, np.eye(4))
    with pytest.raises(FormatError, match="real numbers are needed"):
        io.read(path)


def test_big_endian(tmp_path, rng):
    data = rng.integers(0, 999, (5, 6, 7)).astype(np.int16)
    image = nibabel.Nifti1Image(data, np.eye(4), nibabel.Nifti1Header(endianness=">"))
    image.header.set_data_dtype(np.int16)
    nibabel.save(image, tmp_path / "a.nii")
    for lazy in (False, True):
        actual = io.read(tmp_path / "a.nii", lazy=lazy)
        assert np.asarray(actual.data).dtype == np.dtype("i2")
        np.testing.assert_array_equal(np.asarray(actual.data), data.T)


def test_long_axes_need_the_second_version(tmp_path):
    image = Image(np.zeros((2, 40_000), np.uint8), "YX")
    path = io.write(image, tmp_path / "a.nii")
    assert isinstance(nibabel.load(path), nibabel.Nifti2Image)
    assert io.read(path).shape == (2, 40_000)


def test_same_bytes_every_time(tmp_path, classes):
    first = io.write(classes, tmp_path / "a.nii.gz").read_bytes()
    assert io.write(classes, tmp_path / "a.nii.gz").read_bytes() == first


@pytest.mark.realdata
def test_hippocampus(realdata):
    for case in ("hippocampus_003", "hippocampus_394"):
        path = realdata / "hippocampus" / "images" / f"{case}.nii.gz"
        actual, oracle = io.read(path), nibabel.load(path)
        np.testing.assert_array_equal(actual.data, np.asarray(oracle.dataobj).T)
        assert actual.unit == "millimeter"
        labels = io.read_labels(realdata / "hippocampus" / "labels" / f"{case}.nii.gz")
        assert labels.shape == actual.shape
        assert set(np.unique(labels.data)) == {0, 1, 2}


@pytest.mark.realdata
def test_orientations_of_real_files_survive(realdata, tmp_path):
    for path in sorted((realdata / "ct").glob("*.nii.gz")):
        oracle = nibabel.load(path)
        again = nibabel.load(io.write(io.read(path), tmp_path / path.name))
        assert nibabel.aff2axcodes(again.affine) == nibabel.aff2axcodes(oracle.affine)
        np.testing.assert_allclose(again.affine, oracle.affine, atol=1e-5)
        for key in ("qform_code", "sform_code", "pixdim", "xyzt_units"):
            np.testing.assert_allclose(again.header[key], oracle.header[key], rtol=1e-5)
        np.testing.assert_array_equal(np.asarray(again.dataobj), np.asarray(oracle.dataobj))
