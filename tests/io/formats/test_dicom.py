import nibabel
import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from napari_segment import io
from napari_segment.errors import FormatError

SERIES = generate_uid()


def save(folder, number, pixels, position, *, turned=(1, 0, 0, 0, 1, 0), series=SERIES, **tags):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    head = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    head.SOPClassUID, head.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    head.SeriesInstanceUID, head.InstanceNumber = series, number
    head.Modality, head.PhotometricInterpretation = "CT", "MONOCHROME2"
    head.Rows, head.Columns, head.SamplesPerPixel = *pixels.shape[-2:], 1
    head.BitsAllocated, head.BitsStored, head.HighBit, head.PixelRepresentation = 16, 12, 11, 0
    head.ImagePositionPatient, head.ImageOrientationPatient = list(position), list(turned)
    head.PixelSpacing, head.SliceThickness = [0.5, 0.25], 9
    head.RescaleSlope, head.RescaleIntercept = 1, -1024
    for key, value in tags.items():
        setattr(head, key, value)
    head.PixelData = pixels.astype(np.uint16).tobytes()
    head.save_as(folder / f"{generate_uid()}.dcm", enforce_file_format=True)


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 4096, (5, 6, 7)).astype(np.uint16)


def test_sorted_by_position_in_hounsfield_units(tmp_path, pixels):
    """File names and instance numbers say nothing; the slice thickness is not the spacing."""
    for i in (3, 0, 4, 1, 2):
        save(tmp_path, 10 - i, pixels[i], (10, 20, 30 + 2.5 * i))
    for lazy in (False, True):
        actual = io.read(tmp_path, lazy=lazy)
        assert (actual.axes, actual.unit, actual.dtype) == ("ZYX", "millimeter", np.int16)
        assert actual.spacing == (2.5, 0.5, 0.25)
        np.testing.assert_array_equal(np.asarray(actual.data), pixels.astype(int) - 1024)
    # (x, y, z) = (10 + 3 * 0.25, 20 + 2 * 0.5, 30 + 4 * 2.5) to (superior, anterior, right)
    np.testing.assert_allclose((actual.world() @ [4, 2, 3, 1])[:3], (40, -21, -10.75))


def test_sagittal_slices(tmp_path, pixels):
    for i, plane in enumerate(pixels):
        save(tmp_path, i, plane, (5 * i, 0, 0), turned=(0, 1, 0, 0, 0, -1))
    actual = io.read(tmp_path)
    first = actual.data[0] + 1024
    # The normal, (0,1,0) × (0,0,-1), is (-1,0,0): sorting along it begins at the largest x.
    np.testing.assert_array_equal(first, pixels[-1])
    np.testing.assert_allclose((actual.world() @ [0, 0, 0, 1])[:3], (0, 0, -20))
    np.testing.assert_allclose((actual.world() @ [1, 2, 3, 1])[:3], (-1, -0.75, -15))


def test_tilted_gantry_is_in_the_affine(tmp_path, pixels):
    for i, plane in enumerate(pixels):
        save(tmp_path, i, plane, (0, 1.0 * i, 2.0 * i))
    actual = io.read(tmp_path)
    np.testing.assert_allclose((actual.world() @ [3, 0, 0, 1])[:3], (6, -3, 0))


def test_missing_slices(tmp_path, pixels):
    for i in (0, 1, 2, 4):
        save(tmp_path, i, pixels[i], (0, 0, 2 * i))
    with pytest.raises(FormatError, match=r"run from 2 to 4 mm; slices are missing"):
        io.read(tmp_path)


def test_double_slices(tmp_path, pixels):
    for i in (0, 1, 2, 2):
        save(tmp_path, i, pixels[i], (0, 0, 2 * i))
    with pytest.raises(FormatError, match="missing or double"):
        io.read(tmp_path)


def test_time_points(tmp_path, pixels):
    for t in range(2):
        for z in range(2):
            save(tmp_path, 10 * t + z, pixels[2 * t + z], (0, 0, z))
    for lazy in (False, True):
        actual = io.read(tmp_path, lazy=lazy)
        assert actual.axes == "TZYX"
        np.testing.assert_array_equal(np.asarray(actual.data[1, 0]) + 1024, pixels[2])


def test_several_series(tmp_path, pixels):
    for i in range(3):
        save(tmp_path, i, pixels[i], (0, 0, i), SeriesDescription="soft tissue")
        save(tmp_path, i, pixels[4 - i], (0, 0, i), series="1.2.3", SeriesDescription="bone")
    with pytest.raises(FormatError, match=r"2 DICOM series; .*bone, 3 images"):
        io.read(tmp_path)
    np.testing.assert_array_equal(io.read(tmp_path, series="bone").data[0] + 1024, pixels[4])
    np.testing.assert_array_equal(io.read(tmp_path, series="1.2.3").data[0] + 1024, pixels[4])


def test_one_file(tmp_path, pixels):
    save(tmp_path, 1, pixels[0], (1, 2, 3))
    actual = io.read(next(tmp_path.iterdir()))
    assert (actual.axes, actual.spacing) == ("YX", (0.5, 0.25))


def test_images_of_other_sizes(tmp_path, pixels):
    save(tmp_path, 1, pixels[0], (0, 0, 0))
    save(tmp_path, 2, pixels[1, :4], (0, 0, 1))
    with pytest.raises(FormatError, match="differs in size or orientation"):
        io.read(tmp_path)


@pytest.mark.parametrize(
    ("slope", "intercept", "dtype"),
    [(1, 0, "u2"), (1, -1024, "i2"), (20, -1024, "i4"), (0.5, 0, "f4")],
)
def test_type_of_the_values(tmp_path, pixels, slope, intercept, dtype):
    for i in range(3):
        save(tmp_path, i, pixels[i], (0, 0, i), RescaleSlope=slope, RescaleIntercept=intercept)
    actual = io.read(tmp_path)
    assert actual.dtype == dtype
    np.testing.assert_allclose(actual.data, pixels[:3] * float(slope) + intercept)
    assert io.read(tmp_path, lazy=True).dtype == dtype


def test_slopes_of_their_own(tmp_path, pixels):
    for i in range(3):
        save(tmp_path, i, pixels[i], (0, 0, i), RescaleSlope=i + 0.5, RescaleIntercept=0)
    np.testing.assert_allclose(io.read(tmp_path).data[2], pixels[2] * 2.5)


def test_frames_of_one_file(tmp_path, pixels):
    groups = []
    for i in (1, 0, 2):
        position, group = pydicom.Dataset(), pydicom.Dataset()
        position.ImagePositionPatient = [0, 0, 3 * i]
        group.PlanePositionSequence = [position]
        groups.append(group)
    save(
        tmp_path, 1, pixels[:3], (0, 0, 0), NumberOfFrames=3,
        PerFrameFunctionalGroupsSequence=groups,
    )  # fmt: skip
    actual = io.read(next(tmp_path.iterdir()))
    assert (actual.axes, actual.spacing) == ("ZYX", (3, 0.5, 0.25))
    np.testing.assert_array_equal(actual.data + 1024, pixels[[1, 0, 2]])


def test_a_folder_without_images(tmp_path, pixels):
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(FormatError, match="neither OME-Zarr nor a DICOM series"):
        io.read(tmp_path)


@pytest.mark.realdata
def test_real_series_against_its_labels_and_simpleitk(realdata):
    """SliceThickness says 3 mm; the labels lie on the same grid with y the other way round."""
    actual = io.read(realdata / "dicom_ct")
    assert actual.shape == (20, 512, 512)
    assert actual.spacing == pytest.approx((2, 0.9765625, 0.9765625))
    labels = io.read_labels(realdata / "ct" / "example_seg_dicom.nii.gz")
    between = np.linalg.inv(actual.world()) @ labels.world()
    np.testing.assert_allclose(
        between, [[1, 0, 0, 0], [0, -1, 0, 511], [0, 0, 1, 0], [0, 0, 0, 1]], atol=1e-3
    )
    organs = labels.data[:, ::-1]
    assert actual.data[organs > 0].mean() > actual.data[organs == 0].mean() + 200

    sitk = pytest.importorskip("SimpleITK")
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(realdata / "dicom_ct")))
    oracle = reader.Execute()
    np.testing.assert_array_equal(actual.data, sitk.GetArrayFromImage(oracle))
    lps = np.array(oracle.TransformIndexToPhysicalPoint((30, 20, 10)))
    np.testing.assert_allclose(
        (actual.world() @ [10, 20, 30, 1])[:3], (lps * (-1, -1, 1))[::-1], atol=1e-3
    )


@pytest.mark.realdata
def test_series_to_nifti(realdata, tmp_path):
    actual = io.read(realdata / "dicom_ct")
    again = nibabel.load(io.write(actual, tmp_path / "ct.nii.gz"))
    assert nibabel.aff2axcodes(again.affine) == ("L", "P", "S")
    np.testing.assert_allclose(again.header.get_zooms(), actual.spacing[::-1])
