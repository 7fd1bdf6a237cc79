"""DICOM files of kinds beyond a plain series: dose, films, palettes, single slices, phases."""

import shutil
from pathlib import Path

import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.uid import generate_uid

from napari_segment import api, io
from napari_segment.errors import FormatError

_REAL = Path(pydicom.__file__).parent / "data" / "test_files"


def save(folder, pixels, name="a.dcm", **tags):
    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = tags.pop("SOPClassUID", pydicom.uid.MRImageStorage)
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    head = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    head.SOPClassUID = meta.MediaStorageSOPClassUID
    head.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    head.Modality, head.PhotometricInterpretation, head.SamplesPerPixel = "MR", "MONOCHROME2", 1
    head.Rows, head.Columns = pixels.shape[-2:]
    head.BitsAllocated = head.BitsStored = 8 * pixels.dtype.itemsize
    head.HighBit, head.PixelRepresentation = head.BitsAllocated - 1, 0
    head.ImagePositionPatient, head.ImageOrientationPatient = [1.0, 2, 3], [1, 0, 0, 0, 1, 0]
    head.PixelSpacing, head.SeriesInstanceUID = [0.5, 0.25], "1.2.3"
    if pixels.ndim == 3:
        head.NumberOfFrames = len(pixels)
    for key, value in tags.items():
        setattr(head, key, value)
    head.PixelData = pixels.tobytes()
    head.save_as(folder / name, enforce_file_format=True)
    return folder / name


@pytest.fixture
def frames(rng):
    return rng.integers(0, 4096, (4, 6, 8)).astype(np.uint16)


def test_a_real_dose(tmp_path):
    """Of pydicom's tests: frames 5 mm apart, values in units of DoseGridScaling."""
    head = pydicom.dcmread(_REAL / "rtdose.dcm")
    actual = io.read(_REAL / "rtdose.dcm")
    assert actual.axes == "ZYX"
    assert actual.spacing == pytest.approx((5, 10, 10))
    np.testing.assert_allclose(actual.data, head.pixel_array * float(head.DoseGridScaling))


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("offsets", "order", "first"),
    [
        ([0, 2, 4, 6], [0, 1, 2, 3], 3),
        ([0, -2, -4, -6], [3, 2, 1, 0], -3),
        ([3, 5, 7, 9], [0, 1, 2, 3], 3),
        ([0, 4, 2, 6], [0, 2, 1, 3], 3),
    ],
)
def test_dose_along_its_offsets(tmp_path, frames, offsets, order, first, lazy):
    path = save(tmp_path, frames, GridFrameOffsetVector=offsets, DoseGridScaling=0.25)
    actual = io.read(path, lazy=lazy)
    assert (actual.axes, actual.spacing) == ("ZYX", (2, 0.5, 0.25))
    np.testing.assert_allclose(np.asarray(actual.data), frames[order] * 0.25)
    assert actual.world()[0, 3] == first


def test_uneven_dose_is_refused(tmp_path, frames):
    path = save(tmp_path, frames, GridFrameOffsetVector=[0, 2, 4, 9])
    with pytest.raises(FormatError, match=r"a\.dcm.*run from 2 to 5 mm"):
        io.read(path)


@pytest.mark.parametrize("numbers", [[1, 2, 3, 4], [4, 3, 2, 1], [2, 1, 4, 3]])
def test_slice_vector_of_nuclear_medicine(tmp_path, frames, numbers):
    path = save(
        tmp_path, frames, FrameIncrementPointer=0x00540080, SliceVector=numbers,
        SpacingBetweenSlices=4,
    )  # fmt: skip
    actual = io.read(path)
    assert (actual.axes, actual.spacing) == ("ZYX", (4, 0.5, 0.25))
    np.testing.assert_array_equal(actual.data, frames[np.argsort(numbers)])


@pytest.mark.parametrize("time", [40, 33.3, 1000])
def test_films_run_along_time(tmp_path, frames, time):
    path = save(tmp_path, frames, FrameIncrementPointer=0x00181063, FrameTime=time)
    actual = io.read(path)
    assert actual.axes == "TYX"
    assert actual.interval == pytest.approx(time / 1000)
    np.testing.assert_array_equal(actual.data, frames)


@pytest.mark.parametrize("turned", [(1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1)])
@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
def test_single_slices_stay_where_they_are(tmp_path, frames, turned, ending):
    path = save(tmp_path, frames[0], ImageOrientationPatient=list(turned))
    labels = api.segment(path, "otsu")
    matrix = nibabel.load(io.write(labels, tmp_path / f"labels{ending}")).affine
    columns, rows = np.array(turned[:3]), np.array(turned[3:])
    lps = np.array([1, 2, 3]) + 5 * 0.25 * columns + 4 * 0.5 * rows
    np.testing.assert_allclose((matrix @ [5, 4, 0, 1])[:3], lps * (-1, -1, 1), atol=1e-5)
    again = io.read(tmp_path / f"labels{ending}")
    assert again.spacing == pytest.approx((0.5, 0.25))
    matrix_again = nibabel.load(io.write(again, tmp_path / f"again{ending}")).affine
    np.testing.assert_allclose(matrix_again, matrix, atol=1e-5)


@pytest.mark.parametrize("step", [0.33, 0.77, 2.46])
def test_rounded_positions(tmp_path, rng, step):
    for i in range(9):
        plane = np.full((6, 8), i, np.uint16)
        save(tmp_path, plane, f"{i}.dcm", ImagePositionPatient=[0, 0, round(step * i, 1)])
    with pytest.warns(UserWarning, match=r"uneven by up to .* mm"):
        actual = io.read(tmp_path)
    assert actual.data[:, 0, 0].tolist() == list(range(9))
    assert actual.spacing[0] == pytest.approx(round(step * 8, 1) / 8)
    assert "rounded" in actual.header["warnings"][0]


@pytest.mark.parametrize("step", [0.3, 0.77, 2.5])
def test_rounded_positions_hide_no_missing_slice(tmp_path, step):
    for i in [0, 1, 2, 3, 5, 6, 7, 8, 9]:
        plane = np.zeros((6, 8), np.uint16)
        save(tmp_path, plane, f"{i}.dcm", ImagePositionPatient=[0, 0, round(step * i, 1)])
    with pytest.raises(FormatError, match="slices are missing"):
        io.read(tmp_path)


@pytest.mark.parametrize("key", ["TriggerTime", "TemporalPositionIdentifier", "AcquisitionTime"])
def test_phases_with_repeated_numbers(tmp_path, key):
    """Names and numbers say nothing of the phase; the value is 10 times phase plus slice."""
    for t in range(3):
        for z in range(2):
            tags = {key: f"{120000 + t}" if key == "AcquisitionTime" else t + 1}
            plane = np.full((6, 8), 10 * t + z, np.uint16)
            position = [0, 0, 2.0 * z]
            save(tmp_path, plane, f"{(7 * (2 * t + z)) % 6}.dcm", InstanceNumber=z + 1,
                 ImagePositionPatient=position, **tags)  # fmt: skip
    actual = io.read(tmp_path)
    assert actual.axes == "TZYX"
    assert actual.data[:, :, 0, 0].tolist() == [[0, 1], [10, 11], [20, 21]]


def test_copies_are_taken_once(tmp_path, frames):
    for i, plane in enumerate(frames):
        save(tmp_path, plane, f"{i}.dcm", ImagePositionPatient=[0, 0, i])
    shutil.copy(tmp_path / "1.dcm", tmp_path / "1 copy.dcm")
    with pytest.warns(UserWarning, match="1 files that are copies"):
        np.testing.assert_array_equal(io.read(tmp_path).data, frames)


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("rtplan.dcm", "RT Plan"), ("test-SR.dcm", "SR"), ("waveform_ecg.dcm", "ECG"),
        ("reportsi.dcm", "SR"), ("rtstruct.dcm", "no DICOM file"),
    ],
)  # fmt: skip
def test_objects_that_are_no_images(file, kind):
    with pytest.raises(FormatError, match=rf"{file}.*{kind}"):
        io.read(_REAL / file)


@pytest.mark.parametrize("lone", [False, True])
def test_segmentations_are_recognised(tmp_path, frames, lone):
    segmentation = "1.2.840.10008.5.1.4.1.1.66.4"
    path = save(tmp_path, frames, "s.dcm", SOPClassUID=segmentation, Modality="SEG")
    with pytest.raises(FormatError, match=r"s\.dcm cannot be read as DICOM"):
        io.read(path)
    if not lone:
        save(tmp_path, frames[0], "i.dcm")
        np.testing.assert_array_equal(io.read(tmp_path).data, frames[0])


def test_inverted_grey_is_said(tmp_path, frames):
    path = save(tmp_path, frames[0], PhotometricInterpretation="MONOCHROME1")
    with pytest.warns(UserWarning, match=r"a\.dcm is MONOCHROME1"):
        np.testing.assert_array_equal(io.read(path).data, frames[0])


def test_palettes_give_their_colours():
    head = pydicom.dcmread(_REAL / "examples_palette.dcm")
    actual = io.read(_REAL / "examples_palette.dcm")
    assert actual.axes == "YXC"
    assert actual.is_rgb
    red = np.frombuffer(head.RedPaletteColorLookupTableData, np.uint16)
    assert actual.data[100, 200, 0] == red[head.pixel_array[100, 200]]


@pytest.mark.parametrize(
    ("file", "oracle"),
    [
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("rtdose_rle.dcm", "rtdose.dcm"),
    ],
)
def test_encoded_pixels_are_those_of_their_plain_copy(file, oracle):
    np.testing.assert_array_equal(io.read(_REAL / file).data, io.read(_REAL / oracle).data)


@pytest.mark.parametrize("file", ["image_dfl.dcm", "SC_rgb_jpeg_gdcm.dcm", "JPEG-lossy.dcm"])
def test_deflated_lossless_and_twelve_bits(file):
    actual = io.read(_REAL / file)
    assert actual.shape[:2] in ((512, 512), (100, 100), (1024, 256))
    assert np.ptp(actual.data) > 50


@pytest.mark.parametrize("frames", [10**6, 10**9, 2 * 10**9])
def test_absurd_frame_counts(tmp_path, frames):
    path = save(tmp_path, np.zeros((6, 8), np.uint16), NumberOfFrames=frames)
    with pytest.raises(FormatError, match=r"a\.dcm.* declares .* bytes"):
        io.read(path)


@pytest.mark.parametrize("name", ["DICOMDIR", "."])
def test_directories(tmp_path, name):
    shutil.copytree(_REAL / "dicomdirtests", tmp_path / "disc")
    with pytest.raises(FormatError, match="DICOM series; say which"):
        io.read(tmp_path / "disc" / name)
    shutil.rmtree(tmp_path / "disc" / "98892001")
    with pytest.raises(FormatError, match=r"lists .* files, of which .* are not there"):
        io.read(tmp_path / "disc" / name)
