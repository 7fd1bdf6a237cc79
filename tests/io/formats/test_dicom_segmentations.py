"""DICOM Segmentations against highdicom, and on the CT that they were made of in SimpleITK."""

import numpy as np
import pytest
from shared.series import oblique_series

from napari_segment import api, io
from napari_segment.errors import FormatError
from napari_segment.image import Labels

highdicom = pytest.importorskip("highdicom")


@pytest.fixture
def series(tmp_path, rng):
    return oblique_series(tmp_path / "ct", rng)


def labels_of(image):
    data = np.zeros(image.shape, np.uint8)
    data[1:3, 2:4, 3:6], data[3, 5, 1:4] = 1, 3
    given = image.geometry() | {"header": {**image.header, "colors": {1: (1.0, 0.5, 0.25)}}}
    return Labels(data, "ZYX", holds="classes", names={1: "liver", 3: "left part"}, **given)


def test_labels_come_back(series, tmp_path, assert_same):
    labels = labels_of(io.read(series))
    actual = io.read_labels(io.write(labels, tmp_path / "s.dcm"))
    assert_same(actual, labels)
    np.testing.assert_allclose(actual.header["colors"][1], (1, 0.5, 0.25), atol=0.01)
    again = io.read_labels(io.write(actual, tmp_path / "t.dcm", reference=series))
    assert_same(again, labels)
    assert again.header["dicom"]["codes"] == actual.header["dicom"]["codes"]


def test_highdicom_reads_it(series, tmp_path):
    image = io.read(series)
    labels = labels_of(image)
    actual = highdicom.seg.segread(io.write(labels, tmp_path / "s.dcm"))
    described = [actual.get_segment_description(number) for number in (1, 2)]
    assert [d.segment_label for d in described] == ["liver", "left part"]
    kinds = [d.segmented_property_type for d in described]
    assert (kinds[0].value, kinds[0].scheme_designator) == ("10200004", "SCT")
    volume = actual.get_volume(combine_segments=True)
    assert np.bincount(volume.array.ravel())[1:].tolist() == [12, 3]
    for index in np.argwhere(volume.array):
        right, anterior, superior = (volume.affine @ [*index, 1])[:3] * (-1, -1, 1)
        ours = np.linalg.solve(image.world(), [superior, anterior, right, 1])
        np.testing.assert_allclose(ours, np.rint(ours), atol=1e-5)
        z, y, x = np.rint(ours[:3]).astype(int)
        assert labels.data[z, y, x] == {1: 1, 2: 3}[volume.array[tuple(index)]]
    head = io.formats["dicom"]
    assert head.writes
    assert not head.writes_images


def test_empty_slices_that_are_left_out(series, tmp_path):
    labels = labels_of(io.read(series))
    source = [highdicom.imread(f) for f in sorted(series.iterdir())]
    made = highdicom.seg.Segmentation(
        source, (labels.data > 0).astype(np.uint8), "BINARY",
        [highdicom.seg.SegmentDescription(
            1, "all", *[highdicom.sr.CodedConcept("85756007", "SCT", "Tissue")] * 2, "MANUAL")],
        highdicom.UID(), 1, highdicom.UID(), 1, "m", "m", "1", "1",
    )  # fmt: skip
    made.save_as(tmp_path / "s.dcm")
    actual = io.read_labels(tmp_path / "s.dcm")
    assert actual.shape == (3, 7, 9)
    np.testing.assert_array_equal(actual.data, (labels.data[1:4] > 0).astype(np.uint16))
    first = (labels.world() @ [1, 0, 0, 1])[:3]
    np.testing.assert_allclose((actual.world() @ [0, 0, 0, 1])[:3], first, atol=1e-6)


def test_segments_that_overlap_are_named(series, tmp_path):
    source = [highdicom.imread(f) for f in sorted(series.iterdir())]
    tissue = highdicom.sr.CodedConcept("85756007", "SCT", "Tissue")
    described = [
        highdicom.seg.SegmentDescription(i, name, tissue, tissue, "MANUAL")
        for i, name in ((1, "one"), (2, "two"))
    ]
    made = highdicom.seg.Segmentation(
        source, np.ones((5, 7, 9, 2), np.uint8), "BINARY", described,
        highdicom.UID(), 1, highdicom.UID(), 1, "m", "m", "1", "1",
    )  # fmt: skip
    made.save_as(tmp_path / "s.dcm")
    with pytest.raises(FormatError, match=r"s\.dcm: its segments 'one' and 'two' overlap"):
        io.read_labels(tmp_path / "s.dcm")


def test_every_format_gives_the_labels_back(series, tmp_path, assert_same):
    sitk = pytest.importorskip("SimpleITK")
    image = io.read(series)
    labels = api.segment(image, "otsu").replace(names={1: "bright"})
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(series)))
    ct = reader.Execute()
    for name in ("a.dcm", "a.nii.gz", "a.nrrd", "a.mha", "a.ome.zarr"):
        path = api.write(labels, tmp_path / name)
        actual = io.read_labels(path)
        np.testing.assert_array_equal(np.asarray(actual.data), labels.data)
        np.testing.assert_allclose(actual.world(), labels.world(), atol=1e-4)
        assert actual.names == labels.names
        if name not in ("a.ome.zarr", "a.dcm"):
            seen = sitk.ReadImage(str(path))
            np.testing.assert_allclose(seen.GetOrigin(), ct.GetOrigin(), atol=1e-4)
            np.testing.assert_allclose(seen.GetDirection(), ct.GetDirection(), atol=1e-4)
            np.testing.assert_array_equal(sitk.GetArrayFromImage(seen), labels.data)


def test_what_is_missing_is_named(series, tmp_path):
    image = io.read(series)
    with pytest.raises(FormatError, match=r"a\.dcm: labels are written.*images are not"):
        io.write(image, tmp_path / "a.dcm")
    labels = labels_of(image).replace(header={})
    with pytest.raises(FormatError, match=r"a\.dcm: .*are not known.*--reference"):
        io.write(labels, tmp_path / "a.dcm")
    assert not (tmp_path / "a.dcm").exists()


@pytest.mark.realdata
def test_organs_of_a_real_series(realdata, tmp_path):
    """Labels stored left-anterior-superior, whose file does not name the images."""
    from napari_segment.image import align

    labels = io.read_labels(realdata / "ct" / "example_seg_dicom.nii.gz", holds="classes")
    ct = io.read(realdata / "dicom_ct", lazy=True)
    path = api.write(labels, tmp_path / "s.dcm", reference=realdata / "dicom_ct")
    actual = align(io.read_labels(path), ct)
    expected = align(labels, ct)
    np.testing.assert_array_equal(np.asarray(actual.data), np.asarray(expected.data))
    head = highdicom.seg.segread(path)
    assert head.number_of_segments == len(np.unique(labels.data)) - 1
