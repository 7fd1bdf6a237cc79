import numpy as np
import pytest
import tifffile

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import RGB, Image, Labels


@pytest.fixture
def data(rng):
    return rng.integers(0, 60000, (4, 20, 30)).astype(np.uint16)


def test_imagej_of_others(tmp_path, data):
    """As Fiji writes it: micron, spacing, resolution in pixels per unit."""
    tifffile.imwrite(
        tmp_path / "a.tif", data, imagej=True, resolution=(8, 4),
        metadata={"axes": "ZYX", "spacing": 1.5, "unit": "micron"},
    )  # fmt: skip
    actual = io.read(tmp_path / "a.tif")
    assert (actual.axes, actual.unit) == ("ZYX", "micrometer")
    assert actual.spacing == pytest.approx((1.5, 0.25, 0.125))
    np.testing.assert_array_equal(actual.data, data)


def test_imagej_hyperstack_axes_by_name(tmp_path, rng):
    data = rng.integers(0, 255, (3, 4, 2, 20, 30)).astype(np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", data, imagej=True,
        metadata={"axes": "TZCYX", "finterval": 0.5, "unit": r"\u00B5m"},
    )  # fmt: skip
    actual = io.read(tmp_path / "a.tif")
    assert (actual.axes, actual.shape, actual.interval) == ("TZCYX", data.shape, 0.5)
    assert actual.unit == "micrometer"


def test_time_is_not_taken_for_depth(tmp_path, data):
    tifffile.imwrite(tmp_path / "a.tif", data, imagej=True, metadata={"axes": "TYX"})
    assert io.read(tmp_path / "a.tif").axes == "TYX"


def test_ome_of_others(tmp_path, data):
    tifffile.imwrite(
        tmp_path / "a.ome.tif", data[:, None],
        metadata={
            "axes": "ZCYX", "PhysicalSizeX": 100.0, "PhysicalSizeXUnit": "nm",
            "PhysicalSizeY": 0.2, "PhysicalSizeYUnit": "µm", "PhysicalSizeZ": 0.001,
            "PhysicalSizeZUnit": "mm", "Channel": {"Name": ["DAPI"]},
        },
    )  # fmt: skip
    actual = io.read(tmp_path / "a.ome.tif")
    assert actual.unit == "nanometer"
    assert actual.canonical().spacing == pytest.approx((1000, 200, 100))


def test_ome_time_in_other_units(tmp_path, data):
    tifffile.imwrite(
        tmp_path / "a.ome.tif", data,
        metadata={"axes": "TYX", "TimeIncrement": 2, "TimeIncrementUnit": "min"},
    )  # fmt: skip
    assert io.read(tmp_path / "a.ome.tif").interval == 120


def test_written_ome_says_what_it_is(tmp_path, volume):
    path = io.write(volume, tmp_path / "a.ome.tif")
    with tifffile.TiffFile(path) as file:
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
    assert (pixels["PhysicalSizeZ"], pixels["PhysicalSizeY"], pixels["PhysicalSizeX"]) == (
        2,
        0.5,
        0.4,
    )
    assert pixels["PhysicalSizeXUnit"] == "µm"


def test_written_tif_is_an_imagej_hyperstack(tmp_path, volume):
    path = io.write(volume, tmp_path / "a.tif")
    with tifffile.TiffFile(path) as file:
        assert file.is_imagej
        assert file.imagej_metadata["slices"] == 5
        assert file.imagej_metadata["spacing"] == 2
        assert file.imagej_metadata["unit"] == "um"
        x = file.pages[0].tags["XResolution"].value
    assert x[0] / x[1] == pytest.approx(1 / 0.4)


def test_plain_stack_of_pages_is_z(tmp_path, data):
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        for page in data:
            file.write(page, contiguous=False, metadata=None)
    assert io.read(tmp_path / "a.tif").axes == "ZYX"
    assert io.read(tmp_path / "a.tif", axes="TYX").axes == "TYX"


def test_more_unnamed_axes_must_be_named(tmp_path, data):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([data, data]), photometric="minisblack")
    with pytest.raises(FormatError, match="Say what they are"):
        io.read(tmp_path / "a.tif")
    assert io.read(tmp_path / "a.tif", axes="TZYX").axes == "TZYX"


@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_rgb(tmp_path, rng, planar):
    data = rng.integers(0, 255, (20, 30, 3)).astype(np.uint8)
    tifffile.imwrite(
        tmp_path / "a.tif", data if planar == "contig" else data.transpose(2, 0, 1),
        photometric="rgb", planarconfig=planar,
    )  # fmt: skip
    for lazy in (False, True):
        actual = io.read(tmp_path / "a.tif", lazy=lazy)
        assert actual.channels == RGB
        np.testing.assert_array_equal(np.asarray(actual.transpose("YXC").data), data)


def test_channels_and_samples_become_channels(tmp_path, rng):
    data = rng.integers(0, 255, (2, 20, 30, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.ome.tif", data, photometric="rgb", metadata={"axes": "CYXS"})
    actual = io.read(tmp_path / "a.ome.tif")
    assert (actual.axes, actual.shape) == ("CYX", (6, 20, 30))
    np.testing.assert_array_equal(actual.data[4], data[1, ..., 1])


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("CENTIMETER", ((2.0, 1.0), "micrometer")), ("INCH", ((1, 1), "pixel"))],
)
def test_resolution_without_other_word(tmp_path, data, unit, expected):
    """Printing resolution (per inch) is no pixel size."""
    tifffile.imwrite(
        tmp_path / "a.tif", data[0], resolution=(10_000, 5_000), resolutionunit=unit, metadata=None
    )
    actual = io.read(tmp_path / "a.tif")
    assert (actual.spacing, actual.unit) == (pytest.approx(expected[0]), expected[1])


def test_big_endian_becomes_native(tmp_path, data):
    tifffile.imwrite(tmp_path / "a.tif", data, byteorder=">", metadata={"axes": "ZYX"})
    for lazy in (False, True):
        actual = io.read(tmp_path / "a.tif", lazy=lazy)
        assert actual.dtype.isnative
        assert np.asarray(actual.data).dtype.isnative
        np.testing.assert_array_equal(np.asarray(actual.data), data)


def test_several_images_need_a_choice(tmp_path, data):
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        file.write(data, metadata={"axes": "ZYX", "Name": "first", "PhysicalSizeX": 3.0})
        file.write(data[0, :9], metadata={"axes": "YX", "Name": "second", "PhysicalSizeX": 7.0})
    with pytest.raises(FormatError, match=r"2 images; say which by series=….*second"):
        io.read(tmp_path / "a.ome.tif")
    for series in (1, "second"):
        actual = io.read(tmp_path / "a.ome.tif", series=series)
        assert (actual.shape, actual.spacing[1]) == ((9, 30), 7)


@pytest.mark.parametrize(
    "options", [{"tile": (16, 16)}, {"rowsperstrip": 1}, {"compression": "lzw"}]
)
def test_lazy_blocks_are_whole_and_right(tmp_path, data, options):
    tifffile.imwrite(tmp_path / "a.tif", data, metadata={"axes": "ZYX"}, **options)
    actual = io.read(tmp_path / "a.tif", lazy=True)
    assert actual.data.numblocks == (1, 1, 1)  # small pages are joined
    np.testing.assert_array_equal(actual.data[1:3, 5:].compute(), data[1:3, 5:])


def test_lazy_read_notices_a_rewritten_file(tmp_path, volume):
    path = io.write(volume, tmp_path / "a.tif")
    io.read(path, lazy=True).compute()
    io.write(volume.replace(data=volume.data[:, :5] // 3), path)
    np.testing.assert_array_equal(io.read(path, lazy=True).compute().data, volume.data[:, :5] // 3)


def test_pyramids_give_their_full_resolution(tmp_path, rng):
    data = rng.integers(0, 255, (256, 256)).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.ome.tif") as file:
        file.write(data, subifds=1, tile=(64, 64), metadata={"axes": "YX"})
        file.write(data[::2, ::2], subfiletype=1, tile=(64, 64))
    assert io.read(tmp_path / "a.ome.tif").shape == (256, 256)
    assert io.read(tmp_path / "a.ome.tif", lazy=True).shape == (256, 256)


def test_labels_of_many_objects_need_no_more_than_16_bits_in_imagej(tmp_path):
    labels = Labels(np.arange(600, dtype=np.uint16).reshape(20, 30), "YX", (2, 2), "micrometer")
    with tifffile.TiffFile(io.write(labels, tmp_path / "a.tif")) as file:
        assert file.is_imagej
    large = labels.replace(data=labels.data.astype(np.uint32) + 70_000)
    with tifffile.TiffFile(io.write(large, tmp_path / "b.tif")) as file:
        assert not file.is_imagej
    assert io.read_labels(tmp_path / "b.tif").spacing == (2, 2)


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", ["a.tif", "a.ome.tif", "pages.tif"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_file_that_ends_too_early_is_refused(tmp_path, rng, name, lazy, part):
    """Rather than read as what pages it has."""
    data = rng.integers(0, 60000, (20, 100, 60)).astype(np.uint16)
    path = tmp_path / name
    if name == "pages.tif":
        with tifffile.TiffWriter(path) as file:
            for page in data:
                file.write(page, contiguous=False, metadata=None)
    else:
        io.write(Image(data, "ZYX"), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(FormatError, match="is not whole: it ends after"):
        io.read(path, lazy=lazy)


def test_a_large_imagej_stack_that_ends_too_early_is_refused(tmp_path, data):
    """Beyond 4 GB there is one page, after which the others lie undescribed."""
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, data, imagej=True, metadata={"axes": "ZYX"})
    with tifffile.TiffFile(path) as file:
        start, after = file.pages[0].dataoffsets[0], file.pages[0].offset
        after += 2 + 12 * len(file.pages[0].tags)
    whole = bytearray(path.read_bytes())
    whole[after : after + 4] = bytes(4)  # no further page
    path.write_bytes(whole)
    np.testing.assert_array_equal(io.read(path).data, data)
    path.write_bytes(whole[: start + data.nbytes - 100])
    with pytest.raises(FormatError, match="is not whole"):
        io.read(path)


def test_one_plane_of_a_lazy_image(tmp_path):
    import dask.array as da

    image = Image(da.arange(600, chunks=100).reshape(20, 30).astype("u2"), "YX")
    path = io.write(image, tmp_path / "a.tif")
    np.testing.assert_array_equal(io.read(path).data, np.arange(600).reshape(20, 30))


@pytest.mark.realdata
def test_ovules(realdata):
    """Written by tifffile with ImageJ's keys in JSON; per inch is not meant."""
    for name in ("1135_mini_raw.tif", "1136_mini_label.tif"):
        actual = io.read(realdata / "ovules" / name)
        assert (actual.axes, actual.shape, actual.unit) == ("ZYX", (100, 100, 100), "micrometer")
        assert actual.spacing == pytest.approx((0.2837, 0.127, 0.127), rel=1e-2)
