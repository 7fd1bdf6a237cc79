"""TIFF files of which a part is missing: an error that names it, or the rest with a warning."""

import uuid
import warnings

import numpy as np
import pytest
import tifffile

from napari_segment import api, io
from napari_segment.cli import main
from napari_segment.errors import FormatError
from napari_segment.image import Image

_OME = (
    '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/'
    '2016-06" UUID="{me}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
    'Type="uint16" SizeX="32" SizeY="24" SizeZ="{z}" SizeC="{c}" SizeT="1">{channels}{planes}'
    "</Pixels></Image></OME>"
)


def _members(folder, sizes, present):
    """A multi-file OME-TIFF with a file for each plane, of which some are there."""
    z, c = sizes
    names = [f"m_{i}.ome.tif" for i in range(z * c)]
    ids = [f"urn:uuid:{uuid.uuid4()}" for _ in names]
    planes = "".join(
        f'<TiffData IFD="0" FirstZ="{i % z}" FirstC="{i // z}" PlaneCount="1">'
        f'<UUID FileName="{n}">{u}</UUID></TiffData>'
        for i, (n, u) in enumerate(zip(names, ids, strict=True))
    )
    channels = "".join(f'<Channel ID="Channel:0:{i}" SamplesPerPixel="1"/>' for i in range(c))
    for i in present:
        xml = _OME.format(me=ids[i], z=z, c=c, channels=channels, planes=planes)
        plane = np.full((24, 32), 100 + i, np.uint16)
        tifffile.imwrite(folder / names[i], plane, description=xml.encode(), metadata=None)
    return folder / names[present[0]]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("sizes", "present", "missing"),
    [
        ((6, 1), [0, 1, 2], "m_3"), ((2, 2), [0, 1, 3], "m_2"),
        ((1, 3), [1], "m_0"), ((4, 1), [3], "m_1"),
    ],
)  # fmt: skip
def test_members_that_are_not_there(tmp_path, sizes, present, missing, lazy):
    path = _members(tmp_path, sizes, present)
    lost = sizes[0] * sizes[1] - len(present)
    with pytest.raises(FormatError, match=rf"{lost} of {lost + len(present)} planes.*{missing}"):
        io.read(path, lazy=lazy)
    with pytest.warns(UserWarning, match="planes are missing"):
        image = io.read(path, lazy=lazy, incomplete="allow")
    flat = np.asarray(image.data).reshape(-1, 24, 32)[:, 0, 0]
    assert sorted(flat[flat > 0]) == [100 + i for i in present]
    assert "planes are missing" in image.header["warnings"][0]


def test_all_members_are_there(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = io.read(_members(tmp_path, (2, 2), [0, 1, 2, 3]))
    assert image.axes == "CZYX"
    assert image.data[:, :, 0, 0].tolist() == [[100, 101], [102, 103]]
    assert "warnings" not in image.header


@pytest.mark.parametrize("size", ['SizeZ="300"', 'SizeZ="5"', 'SizeZ="4"'])
def test_stopped_acquisitions(tmp_path, size):
    data = np.ones((3, 24, 32), np.uint16)
    tifffile.imwrite(
        tmp_path / "a.ome.tif", data, metadata={"axes": "ZYX"}, photometric="minisblack"
    )
    xml = tifffile.tiffcomment(tmp_path / "a.ome.tif").replace('SizeZ="3"', size)
    path = tmp_path / "stopped.ome.tif"
    tifffile.imwrite(path, data, description=xml.encode(), metadata=None, photometric="minisblack")
    with pytest.raises(FormatError, match=r"stopped\.ome\.tif.*planes are missing"):
        io.read(path)


@pytest.mark.parametrize("plane", [0, 2, 3])
def test_zeroed_pages(tmp_path, plane):
    path = tmp_path / "z.tif"
    with tifffile.TiffWriter(path) as file:
        for i in range(4):
            file.write(np.full((24, 32), i + 1, np.uint16), contiguous=False, metadata=None)
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[plane].tags["StripByteCounts"].overwrite([0])
    with pytest.raises(FormatError, match=r"z\.tif"):
        io.read(path)


@pytest.mark.parametrize("cut", [1, 50, 600, 5000])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"bigtiff": True}])
def test_cut_files(tmp_path, rng, cut, options):
    data = rng.integers(0, 60000, (2, 6, 48, 56)).astype(np.uint16)
    whole = tmp_path / "whole.ome.tif"
    tifffile.imwrite(whole, data, metadata={"axes": "CZYX", "PhysicalSizeX": 0.5}, **options)
    path = tmp_path / "cut.ome.tif"
    path.write_bytes(whole.read_bytes()[:-cut])
    with pytest.raises(FormatError, match=r"cut\.ome\.tif.*(allow|again)"):
        io.read(path)


@pytest.mark.parametrize("suffix", [".tif", ".ome.tif"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.98])
def test_own_files_cut(tmp_path, rng, suffix, share):
    image = Image(rng.integers(0, 60000, (6, 48, 56)).astype(np.uint16), "ZYX", (2, 0.5, 0.5))
    whole = io.write(image, tmp_path / f"whole{suffix}").read_bytes()
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(FormatError, match="cut"):
        io.read(path)


def test_warnings_go_with_results(tmp_path):
    path = _members(tmp_path, (6, 1), [0, 1, 2])
    with pytest.warns(UserWarning, match="planes are missing"):
        labels = api.segment(io.read(path, incomplete="allow"), "otsu")
    assert "3 of 6 planes are missing" in labels.recipe.warnings[0]
    io.write(labels, tmp_path / "labels.tif")
    assert io.read_labels(tmp_path / "labels.tif").header["warnings"] == labels.header["warnings"]


def test_the_option_of_the_command_line(tmp_path, capsys):
    path = _members(tmp_path, (6, 1), [0, 1, 2])
    out = tmp_path / "labels.tif"
    assert main(["segment", "otsu", str(path), "-o", str(out)]) != 0
    assert "--incomplete allow" in capsys.readouterr().err
    assert main(["segment", "otsu", str(path), "-o", str(out), "--incomplete", "allow"]) == 0
    assert "planes are missing" in (tmp_path / "labels.recipe.yaml").read_text("utf-8")
