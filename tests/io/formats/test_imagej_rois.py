"""ImageJ's regions: what comes back, and what ImageJ would make of each kind."""

import zipfile

import numpy as np
import pytest
import roifile

from napari_segment import Image, Labels, read, write
from napari_segment.errors import FormatError
from napari_segment.io import read_labels
from napari_segment.io.formats._pixel_outlines import corner_rings, filled


def test_outlines_of_random_masks_enclose_them_exactly():
    """The area by the shoelace formula is the number of pixels, holes and touching corners too."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        mask = rng.random((rng.integers(1, 12), rng.integers(1, 12))) > rng.random()
        rings = corner_rings(mask)
        area = sum(
            (np.dot(r[:, 0], np.roll(r[:, 1], -1)) - np.dot(r[:, 1], np.roll(r[:, 0], -1))) / 2
            for r in rings
        )
        assert area == mask.sum()
        if rings:
            part, (top, left) = filled([ring.astype(float) for ring in rings], mask.shape)
            restored = np.zeros_like(mask)
            restored[top : top + part.shape[0], left : left + part.shape[1]] = part
            assert np.array_equal(restored, mask)


def test_a_square_has_four_corners():
    mask = np.ones((2, 3), bool)
    (ring,) = corner_rings(mask)
    assert {tuple(corner) for corner in ring.tolist()} == {(0, 0), (3, 0), (3, 2), (0, 2)}
    assert len(ring) == 4


@pytest.mark.parametrize(("axes", "shape"), [
    ("YX", (30, 40)), ("ZYX", (3, 30, 40)), ("TYX", (2, 20, 21)), ("TZYX", (2, 3, 20, 21)),
])  # fmt: skip
def test_every_pixel_comes_back(tmp_path, axes, shape):
    rng = np.random.default_rng(1)
    data = (rng.random(shape) * 6 * (rng.random(shape) > 0.7)).astype(np.uint16)
    data[..., 2:9, 2:9] = 700
    data[..., 4:6, 4:6] = 0
    labels = Labels(
        data, axes, (2.0, 0.5, 0.4)[-3 if "Z" in axes else -2 :], "micrometer",
        names={700: "big cell"}, header={"colors": {700: (1.0, 0.0, 0.2)}},
    )  # fmt: skip
    restored = read_labels(write(labels, tmp_path / "RoiSet.zip"))
    assert restored.axes == axes
    assert np.array_equal(restored.data, data)
    assert (restored.spacing, restored.unit) == (labels.spacing, "micrometer")
    assert dict(restored.names) == {700: "big cell"}
    assert restored.header["colors"][700] == (1.0, 0.0, 0.2)


def test_roifile_sees_the_planes_names_and_corners(tmp_path):
    data = np.zeros((2, 8, 9), np.uint8)
    data[1, 2:5, 3:7] = 5
    path = write(Labels(data, "ZYX", names={5: "nucleus"}), tmp_path / "RoiSet.zip")
    (roi,) = roifile.roiread(path)
    assert (roi.z_position, roi.roitype) == (2, roifile.ROI_TYPE.TRACED)
    assert roi.name == "0002-nucleus-00005"
    assert {tuple(c) for c in roi.coordinates().tolist()} == {(3, 2), (7, 2), (7, 5), (3, 5)}
    alone = write(Labels(data[1], "YX"), tmp_path / "a.roi")
    assert np.array_equal(read_labels(alone).data, data[1])


def made(tmp_path, *rois):
    path = tmp_path / "RoiSet.zip"
    roifile.roiwrite(path, rois, name=[f"{i}.roi" for i in range(len(rois))])
    return path


def test_regions_of_imagej(tmp_path):
    """A rectangle, an oval and a polygon, the oval in the second plane, a point left out."""
    kinds = roifile.ROI_TYPE
    box = roifile.ImagejRoi(roitype=kinds.RECT, left=2, top=1, right=6, bottom=4, name="box")
    oval = roifile.ImagejRoi(
        roitype=kinds.OVAL, left=10, top=0, right=20, bottom=10, name="0002-0010", z_position=2
    )
    triangle = roifile.ImagejRoi.frompoints([[0, 10], [8, 10], [0, 18]], name="0001-0002")
    triangle.roitype, triangle.stroke_color = kinds.POLYGON, bytes([255, 255, 0, 0])
    point = roifile.ImagejRoi.frompoints([[3, 3]])
    point.roitype = kinds.POINT
    with pytest.warns(UserWarning, match="1 points and lines"):
        labels = read_labels(made(tmp_path, box, oval, triangle, point))
    assert (labels.axes, labels.shape) == ("ZYX", (2, 18, 20))
    assert [(labels.data[z] == 1).sum() for z in (0, 1)] == [12, 12]  # no position: every plane
    rows, columns = np.mgrid[:18, :20] + 0.5
    disc = (columns - 15) ** 2 + (rows - 5) ** 2 < 5**2
    assert (labels.data[0] == 2).sum() == 0
    assert np.array_equal(labels.data[1] == 2, disc)
    below = (columns + rows - 10 < 8 - 0.01) & (rows > 10)
    assert ((labels.data[0] == 3) ^ below).sum() <= 8  # centres on the slope
    assert dict(labels.names) == {1: "box"}
    assert labels.header["colors"] == {3: (1.0, 0.0, 0.0)}


def test_overlaps_are_said(tmp_path):
    kinds = roifile.ROI_TYPE
    boxes = [
        roifile.ImagejRoi(roitype=kinds.RECT, left=x, top=0, right=x + 4, bottom=4) for x in (0, 2)
    ]
    with pytest.warns(UserWarning, match="overlap in 8 pixels"):
        labels = read_labels(made(tmp_path, *boxes))
    assert labels.data[0].tolist() == [1, 1, 2, 2, 2, 2]


def test_what_is_no_set_of_regions_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.txt", "nothing")
    with pytest.raises(FormatError, match="without ImageJ's regions"):
        read(tmp_path / "a.zip")
    (tmp_path / "b.roi").write_bytes(b"Iout\0\0broken")
    with pytest.raises(FormatError, match=r"b\.roi"):
        read(tmp_path / "b.roi")
    for stack in (Image(np.ones((4, 4))), Labels(np.zeros((4, 4), np.uint8))):
        with pytest.raises(FormatError):
            write(stack, tmp_path / "c.zip")
    two = Labels(np.array([[1, 0, 2]], np.uint8), "YX")
    with pytest.raises(FormatError, match="holds one region"):
        write(two, tmp_path / "c.roi")


def test_regions_lie_on_the_images_that_they_are_paired_with(tmp_path):
    """ImageJ states no size: labels reach as far as the regions do, and pairs fill up the rest."""
    from napari_segment.io import Pairs

    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    image = Image(pixels, "YXC", (0.5, 0.5), "micrometer", channels=("red", "green", "blue"))
    write(image, tmp_path / "images" / "a.tif")
    box = roifile.ImagejRoi(roitype=roifile.ROI_TYPE.RECT, left=2, top=1, right=6, bottom=4)
    (tmp_path / "labels").mkdir()
    made(tmp_path, box).rename(tmp_path / "labels" / "a.zip")
    assert read_labels(tmp_path / "labels" / "a.zip").shape == (4, 6)
    pairs = Pairs.of((tmp_path / "images", tmp_path / "labels"))
    actual, labels = pairs.read(0)
    assert labels.shape == (20, 30)
    assert labels.spacing == actual.spacing
    expected = np.zeros((20, 30), np.uint8)
    expected[1:4, 2:6] = 1
    assert np.array_equal(labels.data, expected)


def test_regions_far_away_are_not_unpacked(tmp_path):
    box = roifile.ImagejRoi(
        roitype=roifile.ROI_TYPE.RECT, left=0, top=0, right=32000, bottom=32000, z_position=9999
    )
    with pytest.raises(FormatError, match="would unpack to"):
        read_labels(made(tmp_path, box))
