"""What every format that keeps geometry gives back."""

import pickle

import dask.array as da
import numpy as np
import pytest

from napari_segment import io
from napari_segment.errors import FormatError, InputError
from napari_segment.image import RGB, Image, Labels

STACKS = [".tif", ".ome.tif", ".nii", ".nii.gz", ".ome.zarr", ".nrrd", ".npz", ".mha", ".h5"]
LAZY = [".tif", ".ome.tif", ".nii", ".nii.gz", ".ome.zarr", ".h5"]
CODES = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8", "?"]


@pytest.mark.parametrize("suffix", STACKS)
@pytest.mark.parametrize("which", ["volume", "turned", "classes"])
def test_geometry_comes_back(suffix, which, tmp_path, request, assert_same):
    stack = request.getfixturevalue(which)
    path = io.write(stack, tmp_path / f"new folder/a{suffix}")
    read = io.read_labels if which == "classes" else io.read
    assert_same(read(path), stack)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", LAZY)
@pytest.mark.parametrize("which", ["volume", "turned", "classes"])
def test_lazy_in_and_lazy_out(suffix, which, tmp_path, request, assert_same):
    stack = request.getfixturevalue(which)
    lazy = stack.replace(data=da.from_array(stack.data, chunks=(2, 3, 5)))
    path = io.write(lazy, tmp_path / f"a{suffix}")
    actual = (io.read_labels if which == "classes" else io.read)(path, lazy=True)
    assert actual.is_lazy
    assert_same(actual, stack)
    assert_same(pickle.loads(pickle.dumps(actual)), stack)


@pytest.mark.parametrize("suffix", LAZY)
def test_a_lazy_stack_may_replace_its_own_file(suffix, volume, tmp_path):
    path = io.write(volume, tmp_path / f"a{suffix}")
    lazy = io.read(path, lazy=True)
    io.write(lazy.replace(data=lazy.data // 2), path)
    np.testing.assert_array_equal(io.read(path).data, volume.data // 2)


@pytest.mark.parametrize("suffix", STACKS)
@pytest.mark.parametrize("code", CODES)
def test_values_come_back(suffix, code, tmp_path, rng):
    data = rng.integers(0, 2 if code == "?" else 100, (3, 17, 18)).astype(code)
    actual = io.read(io.write(Image(data, "ZYX"), tmp_path / f"a{suffix}"))
    np.testing.assert_array_equal(actual.data, data)
    if suffix in (".ome.zarr", ".npz", ".h5") or (suffix == ".tif" and code != "?"):
        assert actual.dtype == data.dtype


@pytest.mark.parametrize("suffix", STACKS)
@pytest.mark.parametrize("axes", ["YX", "TYX", "CYX", "CZYX", "TZYX", "TCYX", "TCZYX"])
def test_axes_come_back(suffix, axes, tmp_path, rng, assert_same):
    sizes = {"T": 2, "C": 3, "Z": 4, "Y": 17, "X": 18}
    data = rng.integers(0, 1000, [sizes[a] for a in axes]).astype(np.uint16)
    channels = ("DAPI", "GFP", "α") if "C" in axes else ()
    interval = 2.5 if "T" in axes else 1.0
    image = Image(data, axes, unit="micrometer", interval=interval, channels=channels)
    path = io.write(image, tmp_path / f"a{suffix}")
    assert_same(io.read(path), image)


@pytest.mark.parametrize("suffix", STACKS)
def test_axes_of_length_one_come_back(suffix, tmp_path, rng, assert_same):
    image = Image(rng.random((1, 1, 6, 7)).astype(np.float32), "TZYX", (3, 1, 1), "micrometer")
    assert_same(io.read(io.write(image, tmp_path / f"a{suffix}")), image)


@pytest.mark.parametrize("suffix", [*STACKS, ".png", ".bmp"])
def test_colour_comes_back(suffix, tmp_path, rng):
    data = rng.integers(0, 255, (17, 18, 3)).astype(np.uint8)
    image = Image(data, "YXC", channels=RGB)
    actual = io.read(io.write(image, tmp_path / f"a{suffix}"))
    assert actual.is_rgb
    np.testing.assert_array_equal(actual.transpose("YXC").data, data)


@pytest.mark.parametrize("suffix", STACKS)
def test_large_labels_come_back(suffix, tmp_path, rng):
    data = rng.integers(0, 100_000, (4, 7, 8)).astype(np.int64)
    actual = io.read_labels(io.write(Labels(data, "ZYX"), tmp_path / f"a{suffix}"))
    np.testing.assert_array_equal(actual.data, data)
    assert actual.holds == "objects"


@pytest.mark.parametrize("unit", ["nanometer", "micrometer", "millimeter", "pixel", "inch"])
@pytest.mark.parametrize("suffix", STACKS)
def test_units_come_back(suffix, unit, tmp_path, volume):
    actual = io.read(io.write(volume.replace(unit=unit), tmp_path / f"a{suffix}"))
    assert actual.unit == unit
    assert actual.spacing == pytest.approx(volume.spacing, rel=1e-6)


def test_formats_turn_into_each_other(turned, tmp_path):
    """A world that went through every format with an affine is where it was."""
    actual = turned
    for suffix in (
        ".nii.gz",
        ".nrrd",
        ".mha",
        ".tif",
        ".h5",
        ".ome.zarr",
        ".ome.tif",
        ".npz",
        ".nii",
    ):
        actual = io.read(io.write(actual, tmp_path / f"a{suffix}"))
    np.testing.assert_array_equal(actual.data, turned.data)
    np.testing.assert_allclose(actual.world(), turned.world(), atol=1e-5)


# ---- errors ----


def test_unknown_suffix_names_the_known(tmp_path, volume):
    with pytest.raises(FormatError, match=r"'\.xyz', which is no known format. Known: .*\.tif"):
        io.write(volume, tmp_path / "a.xyz")
    (tmp_path / "a.xyz").write_text("?")
    with pytest.raises(FormatError, match="no known format"):
        io.read(tmp_path / "a.xyz")


def test_missing_file_and_plain_folder(tmp_path):
    with pytest.raises(FormatError, match="does not exist"):
        io.read(tmp_path / "a.tif")
    with pytest.raises(FormatError, match="neither OME-Zarr nor a DICOM series"):
        io.read(tmp_path)


@pytest.mark.parametrize("suffix", [*STACKS, ".png", ".jpg", ".bmp", ".npy", ".dcm"])
@pytest.mark.parametrize("content", [b"", b"nonsense" * 100])
def test_broken_files(suffix, content, tmp_path):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(FormatError, match=path.name):
        io.read(path)


def test_what_numpy_files_may_not_hold_is_reported_once(tmp_path):
    np.savez(tmp_path / "two.npz", a=np.zeros((3, 3)), b=np.zeros((3, 3)))
    with pytest.raises(
        FormatError, match=r"two.npz holds a, b; say which by series=…\.$"
    ) as caught:
        io.read(tmp_path / "two.npz")
    assert str(caught.value).count("two.npz") == 1
    np.save(tmp_path / "objects.npy", np.array([{}, 1], object))
    (tmp_path / "text.npy").write_text("no array")
    for name in ("objects.npy", "text.npy"):
        with pytest.raises(FormatError, match="it holds no array of numbers"):
            io.read(tmp_path / name)


@pytest.mark.parametrize("suffix", [".tif", ".nii", ".nii.gz", ".nrrd", ".npz", ".png", ".npy"])
def test_cut_files(suffix, tmp_path, rng):
    image = Image(rng.integers(0, 255, (60, 70)).astype(np.uint8), "YX")
    path = io.write(image, tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(FormatError, match=path.name):
        io.read(path)


def test_a_failed_write_leaves_what_was_there(tmp_path, volume, assert_same):
    path = io.write(volume, tmp_path / "a.tif")

    def fail(block):
        raise RuntimeError("interrupted")

    lazy = da.from_array(volume.data).map_blocks(fail, dtype="u2", meta=np.empty((0, 0, 0), "u2"))
    with pytest.raises(RuntimeError, match="interrupted"):
        io.write(volume.replace(data=lazy), path)
    assert_same(io.read(path), volume)
    assert list(tmp_path.iterdir()) == [path]


def test_formats_refuse_what_they_would_spoil(tmp_path, volume, classes):
    plane = volume.take("Z", 0)
    with pytest.raises(FormatError, match="holds one plane"):
        io.write(volume, tmp_path / "a.png")
    with pytest.raises(FormatError, match="cannot hold uint16"):
        io.write(plane, tmp_path / "a.jpg")
    with pytest.raises(FormatError, match="cannot hold float32"):
        io.write(plane.replace(data=plane.data.astype(np.float32)), tmp_path / "a.png")
    with pytest.raises(FormatError, match="ruins labels"):
        io.write(classes.take("Z", 0), tmp_path / "a.jpg")
    big = volume.replace(data=np.full((2, 3, 4), 2**40))
    with pytest.raises(FormatError, match="without loss"):
        io.write(big, tmp_path / "a.ome.tif")
    with pytest.raises(FormatError, match="images are not written"):
        io.write(volume, tmp_path / "a.dcm")
    assert not list(tmp_path.iterdir())


# ---- axes from the user, and labels ----


def test_given_axes_win_and_keep_known_spacings(tmp_path, volume):
    path = io.write(volume, tmp_path / "a.tif")
    actual = io.read(path, axes="TYX")
    assert (actual.axes, actual.spacing) == ("TYX", (0.5, 0.4))
    with pytest.raises(InputError, match=r"a\.tif: The axes 'YX' name 2 dimensions"):
        io.read(path, axes="YX")


def test_channels_from_several_files(tmp_path, rng):
    planes = [Image(rng.random((5, 6)).astype(np.float32), "YX", (2, 3)) for _ in range(2)]
    paths = [io.write(p, tmp_path / f"{i}.tif") for i, p in enumerate(planes)]
    for lazy in (False, True):
        actual = io.read_channels(paths, lazy=lazy)
        assert (actual.axes, actual.spacing, actual.is_lazy) == ("CYX", (2, 3), lazy)
        np.testing.assert_array_equal(np.asarray(actual.data), np.stack([p.data for p in planes]))
    with pytest.raises(InputError, match="Channels must be alike"):
        io.read_channels(
            [paths[0], io.write(planes[0].replace(data=np.ones((9, 9))), tmp_path / "x.tif")]
        )


@pytest.mark.parametrize("lazy", [False, True])
def test_black_and_white_labels_are_a_mask(lazy, tmp_path):
    data = np.zeros((40, 50), np.uint8)
    data[5:9, 5:9] = 255
    path = io.write(Image(data, "YX"), tmp_path / "a.tif")
    actual = io.read_labels(path, lazy=lazy)
    assert actual.holds == "mask"
    np.testing.assert_array_equal(np.asarray(actual.data), data // 255)
    data[0, 0] = 1
    path = io.write(Image(data, "YX"), tmp_path / "b.tif")
    actual = io.read_labels(path, lazy=lazy, holds="classes")
    assert (actual.holds, np.asarray(actual.data).max()) == ("classes", 255)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif", ".ome.zarr", ".nii.gz", ".nrrd", ".npz"])
@pytest.mark.parametrize("lazy", [False, True])
def test_labels_lose_a_channel_axis_of_equal_channels(tmp_path, rng, suffix, lazy):
    """Other programs write one channel as an axis, or labels as grey in three colours."""
    data = rng.integers(0, 900, (5, 20, 30)).astype(np.uint16)
    for count in (1, 3):
        image = Image(np.stack([data] * count), "CZYX", (2, 0.5, 0.4), "micrometer")
        actual = io.read_labels(io.write(image, tmp_path / f"a{suffix}"), lazy=lazy)
        assert (actual.axes, actual.spacing) == ("ZYX", pytest.approx((2, 0.5, 0.4)))
        np.testing.assert_array_equal(np.asarray(actual.data), data)
    other = image.replace(data=np.stack([data, data, data + 1]))
    with pytest.raises(FormatError, match="which colour is which label is not known"):
        io.read_labels(io.write(other, tmp_path / f"a{suffix}"), lazy=lazy)


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.zarr"])
def test_labels_of_one_bit_are_a_mask(tmp_path, rng, name):
    import tifffile
    import zarr

    mask, path = rng.random((20, 30)) > 0.5, tmp_path / name
    {"a.tif": tifffile.imwrite, "a.npy": np.save, "a.zarr": zarr.save}[name](path, mask)
    actual = io.read_labels(path)
    assert actual.holds == "mask"
    np.testing.assert_array_equal(np.asarray(actual.data), mask)


def test_grey_labels_in_a_tiff_of_colours(tmp_path):
    import tifffile

    data = np.arange(600, dtype=np.uint8).reshape(20, 30) % 7
    alpha = np.full_like(data, 255)
    for name, planes in {"rgb": [data] * 3, "rgba": [data, data, data, alpha]}.items():
        tifffile.imwrite(tmp_path / f"{name}.tif", np.stack(planes, -1), photometric="rgb")
        np.testing.assert_array_equal(io.read_labels(tmp_path / f"{name}.tif").data, data)


def test_fractions_are_no_labels(tmp_path):
    path = io.write(Image(np.full((5, 5), 0.5), "YX"), tmp_path / "a.tif")
    with pytest.raises(InputError, match=r"a\.tif: Labels must be whole numbers"):
        io.read_labels(path)


@pytest.mark.parametrize("name", ["a.tif", "a.nii.gz", "a.ome.zarr", "a.npy"])
def test_lazy_pixels_are_read_from_any_folder(tmp_path, monkeypatch, volume, name):
    """The workers of a cluster stand elsewhere."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    io.write(volume, name)
    actual = io.read(name, lazy=True)
    monkeypatch.chdir(tmp_path / "elsewhere")
    read = pickle.loads(pickle.dumps(actual)).compute()
    np.testing.assert_array_equal(read.canonical().data, volume.data)


@pytest.mark.parametrize("target", ["file/a.tif", "file/deeper/a.nii.gz", "file/a.ome.zarr"])
def test_a_folder_that_cannot_be_written_to_is_reported(tmp_path, volume, target):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(FormatError, match=r"Nothing can be written to the folder .*file"):
        io.write(volume, tmp_path / target)
