"""Spacings that are negative, absent or no numbers are reported with what is taken instead."""

import nibabel
import numpy as np
import pytest
import tifffile
import zarr

from napari_segment import io

_DATA = np.arange(4 * 6 * 7, dtype=np.uint16).reshape(4, 6, 7)


def _imagej(path, spacing):
    metadata = {"axes": "ZYX", "spacing": spacing, "unit": "um"}
    tifffile.imwrite(path, _DATA, imagej=True, metadata=metadata, resolution=(10, 10))
    return path


def _ome(path, **sizes):
    units = {f"{k}Unit": "µm" for k in sizes}
    tifffile.imwrite(path, _DATA, metadata={"axes": "ZYX", **sizes, **units})
    return path


def _omezarr(path, scale):
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", data=_DATA)
    axes = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    change = [{"type": "scale", "scale": scale}]
    datasets = [{"path": "0", "coordinateTransformations": change}]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": datasets}]
    return path


@pytest.mark.parametrize(
    ("given", "taken"), [(-1.5, (1.5, 0.1, 0.1)), (-0.25, (0.25, 0.1, 0.1)), (0, (1, 0.1, 0.1))]
)
def test_imagej(tmp_path, given, taken):
    with pytest.warns(UserWarning, match=rf"a\.tif gives the spacing {given}"):
        image = io.read(_imagej(tmp_path / "a.tif", given))
    assert image.spacing == pytest.approx(taken)
    assert image.unit == "micrometer"
    assert len(image.header["warnings"]) == 1


@pytest.mark.parametrize(
    ("sizes", "taken", "unknown"),
    [
        ({"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.5}, (1, 0.5, 0.25), "Z"),
        ({"PhysicalSizeX": 0.25, "PhysicalSizeZ": 2.0}, (2, 1, 0.25), "Y"),
        ({"PhysicalSizeX": 0.25}, (1, 1, 0.25), "Z, Y"),
    ],
)
def test_ome_without_some(tmp_path, sizes, taken, unknown):
    with pytest.warns(UserWarning, match=f"along {unknown} is not known"):
        image = io.read(_ome(tmp_path / "a.ome.tif", **sizes))
    assert image.spacing == pytest.approx(taken)


@pytest.mark.parametrize("unit", ["CENTIMETER", "INCH", "NONE"])
@pytest.mark.parametrize("value", [(0, 0), (1, 0), (0, 1)])
def test_resolutions_that_are_no_numbers(tmp_path, unit, value, recwarn):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, _DATA, photometric="minisblack", resolution=(1, 1), resolutionunit=unit)
    with tifffile.TiffFile(path, mode="r+") as file:
        for page in file.pages:
            page.tags["XResolution"].overwrite(value)
    image = io.read(path)
    assert image.spacing == (1, 1, 1)
    assert image.unit == "pixel"
    assert (unit == "INCH") != any("not known" in str(w.message) for w in recwarn)


@pytest.mark.parametrize("scale", [(-2.5, 0.5, 0.5), (2.5, -0.5, 0.5), (-2.5, -0.5, -0.5)])
def test_omezarr_that_runs_backwards(tmp_path, scale):
    image = io.read(_omezarr(tmp_path / "a.zarr", scale))
    assert image.spacing == (2.5, 0.5, 0.5)
    np.testing.assert_allclose(image.world(), np.diag([*scale, 1]))


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_an_affine_that_spans_no_space(tmp_path, lost):
    sizes = np.array([2.0, 3, 4])
    matrix = np.diag([*sizes, 1.0])
    matrix[:, lost] = 0
    header = nibabel.Nifti1Header()
    header.set_data_shape((7, 6, 4))
    header.set_data_dtype(np.uint16)
    header["sform_code"] = 1
    header["srow_x"], header["srow_y"], header["srow_z"] = matrix[:3]
    nibabel.save(nibabel.Nifti1Image(_DATA.T, None, header), tmp_path / "a.nii")
    with pytest.warns(UserWarning, match=r"a\.nii.*(not known|affine)"):
        image = io.read(tmp_path / "a.nii")
    assert image.affine is None
