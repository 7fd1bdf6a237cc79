"""Lengths and times in any unit, those of one file in several, are read as what they are."""

import numpy as np
import pytest
import tifffile
import zarr

from napari_segment import io
from napari_segment.image.units import LENGTHS

DATA = np.zeros((3, 32, 40), np.uint16)


def metres(image):
    return [size * LENGTHS[image.unit] for size in image.spacing]


@pytest.mark.parametrize(
    ("x", "x_unit", "z", "z_unit", "expected"),
    [(0.3, "µm", 1e-5, "dm", (1e-6, 3e-7)), (2e-5, "cm", 1.0, "µm", (1e-6, 2e-7)),
     (10.0, "Å", 2.0, "nm", (2e-9, 1e-9)), (0.01, "in.", 0.5, "mm", (5e-4, 2.54e-4))],
)  # fmt: skip
def test_ome_tiff_in_mixed_units(tmp_path, x, x_unit, z, z_unit, expected):
    sizes = {"X": (x, x_unit), "Y": (x, x_unit), "Z": (z, z_unit)}
    metadata = {"axes": "ZYX"}
    for axis, (size, unit) in sizes.items():
        metadata |= {f"PhysicalSize{axis}": size, f"PhysicalSize{axis}Unit": unit}
    tifffile.imwrite(tmp_path / "a.ome.tif", DATA, ome=True, metadata=metadata)
    actual = metres(io.read(tmp_path / "a.ome.tif"))
    np.testing.assert_allclose(actual, (expected[0], expected[1], expected[1]), rtol=1e-6)


@pytest.mark.parametrize(
    ("unit", "further", "expected"),
    [("nm", "zunit=um", (1e-6, 2e-10, 2e-10)), ("um", "yunit=nm", (1e-6, 2e-10, 2e-7)),
     ("\\u03BCm", "loop=false", (1e-6, 2e-7, 2e-7)), ("mm", "zunit=cm", (1e-2, 2e-4, 2e-4))],
)  # fmt: skip
def test_imagej_in_mixed_units(tmp_path, unit, further, expected):
    path = tmp_path / "a.tif"
    metadata = {"axes": "ZYX", "unit": unit, "spacing": 1.0}
    tifffile.imwrite(path, DATA, imagej=True, resolution=(5.0, 5.0), metadata=metadata)
    with tifffile.TiffFile(path) as file:
        description = file.pages[0].description.rstrip("\n")
    tifffile.tiffcomment(path, f"{description}\n{further}\n".encode())
    np.testing.assert_allclose(metres(io.read(path)), expected, rtol=1e-6)


def _zarr(path, units, time="second"):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", data=DATA[None])
    axes = [{"name": "t", "type": "time", "unit": time}]
    axes += [{"name": n, "type": "space", "unit": u} for n, u in zip("zyx", units, strict=True)]
    scale = [{"type": "scale", "scale": [500.0, 2000.0, 0.5, 0.5]}]
    group.attrs["multiscales"] = [{
        "version": "0.4", "axes": axes,
        "datasets": [{"path": "0", "coordinateTransformations": scale}],
    }]  # fmt: skip
    return path


@pytest.mark.parametrize(
    ("z", "x", "time", "expected", "interval"),
    [("nanometer", "micrometer", "millisecond", (2e-6, 5e-7), 0.5),
     ("micrometer", "millimeter", "minute", (2e-3, 5e-4), 30000),
     ("angstrom", "nanometer", "second", (2e-7, 5e-10), 500)],
)  # fmt: skip
def test_ome_zarr_in_mixed_units(tmp_path, z, x, time, expected, interval):
    actual = io.read(_zarr(tmp_path / "a.zarr", (z, x, x), time))
    np.testing.assert_allclose(metres(actual), (expected[0], expected[1], expected[1]), rtol=1e-6)
    assert actual.interval == pytest.approx(interval)


def test_unknown_units_are_named(tmp_path):
    path = _zarr(tmp_path / "a.zarr", ("furlong", "micrometer", "micrometer"))
    with pytest.warns(UserWarning, match=r"a\.zarr .*Z in 'furlong'"):
        assert io.read(path).spacing == (2000, 0.5, 0.5)


@pytest.mark.parametrize(
    ("unit", "expected"), [("ms", 0.02), ("min", 1200), ("h", 72000), ("", 20), ("s", 20)]
)
def test_intervals_of_imagej_and_ome_tiff_are_in_seconds(tmp_path, unit, expected):
    path = tmp_path / "a.tif"
    metadata = {"axes": "TYX", "finterval": 20.0, **({"tunit": unit} if unit else {})}
    tifffile.imwrite(path, DATA, imagej=True, metadata=metadata)
    assert io.read(path).interval == pytest.approx(expected)
    metadata = {"axes": "TYX", "TimeIncrement": 20.0, "TimeIncrementUnit": unit or "s"}
    tifffile.imwrite(tmp_path / "a.ome.tif", DATA, ome=True, metadata=metadata)
    assert io.read(tmp_path / "a.ome.tif").interval == pytest.approx(expected)


@pytest.mark.parametrize("unit", ["fortnight", "frames", "micrometer"])
def test_unknown_units_of_time_are_named(tmp_path, unit):
    path = _zarr(tmp_path / "a.zarr", ("micrometer",) * 3, unit)
    with pytest.warns(UserWarning, match=rf"a\.zarr .*{unit!r}, which is no known unit of time"):
        assert io.read(path).interval == 500


@pytest.mark.parametrize("unit", ["furlong", "parsec", "second"])
def test_one_unknown_unit_of_length_is_named(tmp_path, unit):
    path = _zarr(tmp_path / "a.zarr", (unit,) * 3)
    with pytest.warns(UserWarning, match="cannot be converted"):
        io.read(path)
    metadata = {"axes": "ZYX", "unit": unit, "spacing": 1.0}
    tifffile.imwrite(tmp_path / "a.tif", DATA, imagej=True, resolution=(5, 5), metadata=metadata)
    with pytest.warns(UserWarning, match="cannot be converted"):
        io.read(tmp_path / "a.tif")
