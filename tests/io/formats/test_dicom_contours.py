"""RT Structure Sets: contours checked in millimetres by hand, and labels that come back."""

import numpy as np
import pydicom
import pytest
from shared.series import oblique_series

from napari_segment import Image, api, io
from napari_segment.cli import main
from napari_segment.errors import FormatError
from napari_segment.image import Labels


@pytest.fixture
def series(tmp_path, rng):
    return oblique_series(tmp_path / "ct", rng)


def labels_of(image, data, **more):
    given = image.geometry() | {"header": {**image.header, "colors": {1: (1.0, 0.0, 0.2)}}}
    return Labels(data, "ZYX", holds="classes", **given, **more)


def some(shape):
    """A box, a ring, and two pieces in one slice."""
    data = np.zeros(shape, np.uint16)
    data[1:3, 2:4, 3:6] = 1
    data[3, 1:6, 1:6] = 4
    data[3, 3, 2:4] = 0
    data[4, 0, 0], data[4, 5:7, 7:9] = 7, 7
    return data


def test_every_voxel_comes_back(series, tmp_path, assert_same):
    image = io.read(series)
    labels = labels_of(image, some(image.shape), names={1: "liver", 4: "ring", 7: "two parts"})
    path = api.write(labels, tmp_path / "s.rtstruct.dcm")
    actual = io.read_labels(path)
    np.testing.assert_array_equal(actual.data, labels.data)
    np.testing.assert_allclose(actual.world(), image.world(), atol=1e-6)
    assert dict(actual.names) == dict(labels.names)
    np.testing.assert_allclose(actual.header["colors"][1], (1, 0, 0.2), atol=0.003)
    assert (actual.unit, actual.holds) == ("millimeter", "classes")
    renamed = path.rename(tmp_path / "plain.dcm")  # whatever its name
    np.testing.assert_array_equal(io.read_labels(renamed).data, labels.data)


def test_corners_in_millimetres(series, tmp_path):
    """The corners of a box of voxels, by the position and the directions of the slices."""
    image = io.read(series)
    data = np.zeros(image.shape, np.uint8)
    data[2, 2:4, 3:6] = 1
    head = pydicom.dcmread(api.write(labels_of(image, data), tmp_path / "s.rtstruct.dcm"))
    (structure,) = head.ROIContourSequence
    (contour,) = structure.ContourSequence
    assert contour.ContourGeometricType == "CLOSED_PLANAR"
    points = np.array(contour.ContourData, float).reshape(-1, 3)
    right, down, normal = np.array([1, 0, 0]), np.array([0, 0.8, 0.6]), np.array([0, -0.6, 0.8])
    start = np.array([10, 20, 30]) + normal * 2.5 * 2
    expected = {
        tuple(np.round(start + right * 0.75 * (x - 0.5) + down * 0.5 * (y - 0.5), 6))
        for x in (3, 6)
        for y in (2, 4)
    }
    assert {tuple(np.round(p, 6)) for p in points} == expected
    image_of = contour.ContourImageSequence[0].ReferencedSOPInstanceUID
    assert image_of == pydicom.dcmread(series / "2.dcm").SOPInstanceUID


def drawn(series, tmp_path, *structures):
    """A file with contours in slices by index: name, [(slice, [(x, y), …]), …]."""
    image = io.read(series)
    data = np.zeros(image.shape, np.uint8)
    data[0, 0, :] = np.arange(image.shape[2]) % (len(structures) + 1)
    head = pydicom.dcmread(api.write(labels_of(image, data), tmp_path / "s.rtstruct.dcm"))
    right, down, normal = np.array([1, 0, 0]), np.array([0, 0.8, 0.6]), np.array([0, -0.6, 0.8])
    for item, named, (name, contours) in zip(
        head.ROIContourSequence, head.StructureSetROISequence, structures, strict=True
    ):
        named.ROIName = name
        template = item.ContourSequence[0]
        item.ContourSequence = []
        for plane, corners in contours:
            one = pydicom.Dataset()
            one.update(template)
            start = np.array([10, 20, 30]) + normal * 2.5 * plane
            points = [start + right * 0.75 * x + down * 0.5 * y for x, y in corners]
            one.ContourData = [f"{v:.9g}" for p in points for v in p]
            item.ContourSequence.append(one)
    head.save_as(tmp_path / "s.rtstruct.dcm")
    return tmp_path / "s.rtstruct.dcm"


def test_a_drawn_circle_takes_the_voxels_whose_centres_lie_in_it(series, tmp_path):
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = [(4 + 2.6 * np.cos(a), 3 + 2.6 * np.sin(a)) for a in angles]
    labels = io.read_labels(drawn(series, tmp_path, ("round", [(1, circle), (3, circle)])))
    rows, columns = np.mgrid[:7, :9]
    expected = (columns - 4) ** 2 + (rows - 3) ** 2 < 2.6**2
    for plane in range(5):
        assert np.array_equal(
            labels.data[plane] == 1, expected if plane in (1, 3) else expected & 0
        )
    assert dict(labels.names) == {1: "round"}


def test_structures_that_overlap_are_read_one_by_one(series, tmp_path):
    box = [(1, 1), (5, 1), (5, 5), (1, 5)]
    path = drawn(series, tmp_path, ("a", [(1, box)]), ("b", [(1, [(x + 1, y) for x, y in box])]))
    with pytest.raises(FormatError, match=r"overlap \('a' and 'b'\).*series="):
        io.read_labels(path)
    assert set(np.unique(io.read_labels(path, series="b").data)) == {0, 2}
    with pytest.raises(FormatError, match="no structure 'c'; it has 'a', 'b'"):
        io.read_labels(path, series="c")


def test_what_is_wrong_is_named(series, tmp_path):
    box = [(1, 1), (5, 1), (5, 5), (1, 5)]
    with pytest.raises(FormatError, match="lies in no slice"):
        io.read_labels(drawn(series, tmp_path, ("a", [(9, box)])))
    path = drawn(series, tmp_path, ("a", [(1, box)]))
    series.rename(tmp_path.parent / f"{tmp_path.name}_elsewhere")
    (tmp_path / "alone").mkdir()
    with pytest.raises(FormatError, match="neither in its folder"):
        io.read_labels(path.rename(tmp_path / "alone" / "s.dcm"))
    with pytest.raises(FormatError, match="DICOM RT Structure Set, images are not"):
        io.write(Image(np.ones((2, 3, 4)), "ZYX"), tmp_path / "i.rtstruct.dcm")


def test_on_the_command_line(series, tmp_path):
    out = tmp_path / "mask.rtstruct.dcm"
    assert main(["segment", "otsu", str(series), "-o", str(out)]) == 0
    expected = api.segment(io.read(series), "otsu")
    np.testing.assert_array_equal(io.read_labels(out).data, expected.data)
    back = tmp_path / "mask.nii.gz"
    assert main(["convert", str(out), "--are-labels", "-o", str(back)]) == 0
    np.testing.assert_array_equal(io.read_labels(back).data, expected.data)
