"""MetaImage against SimpleITK, which is ITK's own reader and writer."""

import numpy as np
import pytest

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels

sitk = pytest.importorskip("SimpleITK")


def itk_image(rng):
    image = sitk.GetImageFromArray(rng.random((4, 5, 6)).astype(np.float32))
    image.SetSpacing((1, 2, 3))
    image.SetOrigin((4, 5, 6))
    image.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    return image


def ras(image, x, y, z):
    """The world of ours, (superior, anterior, right), of a voxel in ITK's."""
    return (np.array(image.TransformIndexToPhysicalPoint((x, y, z))) * (-1, -1, 1))[::-1]


@pytest.mark.parametrize("suffix", [".mha", ".mhd"])
@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("lazy", [True, False])
def test_what_itk_writes(suffix, compressed, lazy, tmp_path, rng):
    image = itk_image(rng)
    sitk.WriteImage(image, str(tmp_path / f"a{suffix}"), compressed)
    actual = io.read(tmp_path / f"a{suffix}", lazy=lazy)
    assert actual.is_lazy == (lazy and not compressed)
    np.testing.assert_array_equal(np.asarray(actual.data), sitk.GetArrayFromImage(image))
    assert (actual.axes, actual.spacing, actual.unit) == ("ZYX", (3, 2, 1), "millimeter")
    np.testing.assert_allclose((actual.world() @ [3, 2, 1, 1])[:3], ras(image, 1, 2, 3))


@pytest.mark.parametrize("suffix", [".mha", ".mhd"])
def test_what_itk_reads(suffix, tmp_path, turned):
    path = io.write(turned, tmp_path / f"a{suffix}")
    image = sitk.ReadImage(str(path))
    assert image.GetPixel(2, 3, 4) == turned.data[4, 3, 2]
    np.testing.assert_allclose((turned.world() @ [4, 3, 2, 1])[:3], ras(image, 2, 3, 4), atol=1e-6)
    names = {p.name for p in tmp_path.iterdir()}
    assert names == ({"a.mha"} if suffix == ".mha" else {"a.mhd", "a.zraw"})
    np.testing.assert_array_equal(io.read(path).data, turned.data)


def test_many_class_names_do_not_stop_itk(tmp_path):
    names = {i: f"class {i} " + "n" * 300 for i in range(1, 120)}
    labels = Labels(np.ones((2, 3, 4), np.uint8), "ZYX", holds="classes", names=names)
    path = io.write(labels, tmp_path / "a.mha")
    assert sitk.ReadImage(str(path)).GetSize() == (4, 3, 2)
    assert io.read_labels(path).names == names


def test_vectors_are_channels(tmp_path, rng):
    data = rng.integers(0, 255, (4, 5, 3)).astype(np.uint8)
    sitk.WriteImage(sitk.GetImageFromArray(data, isVector=True), str(tmp_path / "v.mha"))
    actual = io.read(tmp_path / "v.mha")
    assert actual.axes == "YXC"
    np.testing.assert_array_equal(actual.data, data)


def test_micrometres_are_written_as_such(tmp_path, volume):
    path = io.write(volume, tmp_path / "a.mha")
    header = path.read_bytes()[:600].decode("latin1")
    assert "DistanceUnits = um\n" in header
    assert "ElementSpacing = 0.4 0.5 2\n" in header


def test_planes_in_files_of_their_own(tmp_path, rng):
    data = rng.integers(0, 9, (3, 4, 5)).astype(np.int16)
    for i, plane in enumerate(data):
        plane.astype(">i2").tofile(tmp_path / f"p{i}.raw")
    head = (
        "NDims = 3\nDimSize = 5 4 3\nBinaryDataByteOrderMSB = True\n"
        "ElementType = MET_SHORT\nElementDataFile = "
    )
    (tmp_path / "a.mhd").write_text(head + "LIST\n" + "".join(f"p{i}.raw\n" for i in range(3)))
    (tmp_path / "b.mhd").write_text(head + "p%d.raw 0 2 1\n")
    for name in ("a.mhd", "b.mhd"):
        np.testing.assert_array_equal(io.read(tmp_path / name).data, data)
    (tmp_path / "p1.raw").unlink()
    with pytest.raises(FormatError, match=r"a\.mhd names the file p1\.raw.*Put it"):
        io.read(tmp_path / "a.mhd")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DimSize = 8 7 5", "DimSize = 800 700 500", "declares"),
        ("DimSize = 8 7 5", "DimSize = 8 7", "two to four"),
        ("MET_SHORT", "MET_OTHER", "no type of numbers"),
        ("NDims = 3\n", "", "no field NDims"),
    ],
)
def test_damaged_headers(old, new, message, tmp_path, turned):
    path = io.write(turned, tmp_path / "a.mha")
    path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    with pytest.raises(FormatError, match=message) as error:
        io.read(path)
    assert "a.mha" in str(error.value)


def test_time_and_channels(tmp_path, rng, assert_same):
    data = rng.integers(0, 99, (2, 3, 4, 5, 6)).astype(np.uint16)
    image = Image(data, "TCZYX", (3, 1, 1), "millimeter", interval=2.5, channels=("a", "b", "c"))
    path = io.write(image, tmp_path / "a.mha")
    assert_same(io.read(path), image)
    assert sitk.ReadImage(str(path)).GetSize() == (6, 5, 4, 2)
