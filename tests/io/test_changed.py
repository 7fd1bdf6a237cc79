"""A file that is replaced by one of the same date and size is another file."""

import os
import shutil

import numpy as np
import pytest
import tifffile

from napari_segment.errors import ChangedFileError
from napari_segment.image import Image
from napari_segment.io import read, write
from napari_segment.io.boundary import states_behind
from napari_segment.io.changed import state_of
from napari_segment.io.formats import tiff


def replaced(path, other):
    """Put another file's contents into a file, and give it the date that it had."""
    date = path.stat().st_mtime_ns
    shutil.copyfile(other, path)
    os.utime(path, ns=(date, date))


def test_a_restored_date_hides_nothing(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"abc"), two.write_bytes(b"xyz")
    before = state_of(one)
    assert state_of(one) == before
    replaced(one, two)
    assert state_of(one) != before


def test_a_lazy_tiff_is_opened_again(tmp_path):
    one, two = tmp_path / "one.tif", tmp_path / "two.tif"
    tifffile.imwrite(one, np.zeros((8, 9), np.uint8))
    tifffile.imwrite(two, np.ones((8, 9), np.uint8))
    assert not np.asarray(read(one, axes="YX", lazy=True).data).any()
    replaced(one, two)
    assert np.asarray(read(one, axes="YX", lazy=True).data).all()


KINDS = (".tif", ".ome.tif", ".nii", ".nii.gz", ".h5", ".npy", ".ome.zarr")


def volume(value):
    return Image(np.full((3, 8, 9), value, np.uint8))


@pytest.mark.parametrize("suffix", KINDS)
def test_pixels_of_a_file_that_is_rewritten_are_refused(tmp_path, suffix):
    """Parts of two files would make one image: those read before and those read after."""
    path = write(volume(1), tmp_path / f"a{suffix}")
    image = read(path, lazy=True)
    assert np.asarray(image.data[0]).all()
    write(volume(2), path)
    with pytest.raises(ChangedFileError, match=rf"a{suffix} was rewritten.*Open it again"):
        (image.data[1:] + 1).compute()
    again = read(path, lazy=True).data
    assert np.unique(np.asarray(again)).tolist() == [2]


def test_pixels_next_to_a_header_are_watched(tmp_path):
    header, pixels = tmp_path / "a.mhd", tmp_path / "a.raw"
    header.write_text(
        "ObjectType = Image\nNDims = 2\nDimSize = 3 2\nElementType = MET_UCHAR\n"
        "ElementDataFile = a.raw\n"
    )
    pixels.write_bytes(bytes(range(6)))
    image = read(header, lazy=True)
    assert np.asarray(image.data).tolist() == [[0, 1, 2], [3, 4, 5]]
    pixels.write_bytes(bytes(6))
    with pytest.raises(ChangedFileError, match=r"a\.mhd .*\(a\.raw\)"):
        image.compute()


def test_a_slice_that_is_rewritten_is_refused(tmp_path):
    for number in range(2):
        write_slice(tmp_path / f"{number}.dcm", number)
    image = read(tmp_path, lazy=True)
    assert np.asarray(image.data[1]).tolist() == [[1] * 9] * 8
    write_slice(tmp_path / "0.dcm", 7)
    with pytest.raises(ChangedFileError, match=r"0\.dcm was rewritten"):
        image.compute()


def write_slice(path, number):
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, CTImageStorage
    meta.MediaStorageSOPInstanceUID = f"1.2.3.{number}"
    image = FileDataset(str(path), {}, file_meta=meta, preamble=bytes(128))
    image.SOPClassUID, image.SOPInstanceUID = CTImageStorage, f"1.2.3.{number}"
    image.SeriesInstanceUID, image.Modality, image.InstanceNumber = "1.2", "CT", number
    image.Rows, image.Columns, image.SamplesPerPixel = 8, 9, 1
    image.PhotometricInterpretation, image.PixelRepresentation = "MONOCHROME2", 0
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelSpacing = 15, [1, 1]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.ImagePositionPatient = [0, 0, number % 7]
    image.PixelData = np.full((8, 9), number, "<u2").tobytes()
    image.save_as(path, enforce_file_format=True)


def test_a_file_that_keeps_date_and_size_is_refused(tmp_path):
    one, two = write(volume(1), tmp_path / "one.npy"), write(volume(2), tmp_path / "two.npy")
    image = read(one, lazy=True)
    replaced(one, two)
    with pytest.raises(ChangedFileError, match=r"one\.npy"):
        image.compute()


def test_an_evicted_tiff_that_is_rewritten_is_refused(tmp_path):
    """The file is opened again when others took its place among those that stay open."""
    path = write(volume(1), tmp_path / "a.tif")
    image = read(path, lazy=True)
    replaced(path, write(volume(2), tmp_path / "b.tif"))
    tiff._opened.cache_clear()
    with pytest.raises(ChangedFileError, match=r"a\.tif"):
        image.compute()


def test_planes_of_an_ome_tiff_in_other_files_are_watched(tmp_path):
    import uuid

    first, second = tmp_path / "a.ome.tif", tmp_path / "b.ome.tif"
    names = [(f, f"urn:uuid:{uuid.uuid4()}") for f in (first, second)]
    described = "".join(
        f'<TiffData IFD="0" PlaneCount="1" FirstZ="{z}"><UUID FileName="{f.name}">{u}</UUID>'
        "</TiffData>"
        for z, (f, u) in enumerate(names)
    )
    for file, own in names:
        xml = (
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{own}"><Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" '
            'Type="uint8" SizeX="9" SizeY="8" SizeZ="2" SizeC="1" SizeT="1">'
            f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/>{described}</Pixels></Image></OME>'
        )
        tifffile.imwrite(file, np.ones((8, 9), np.uint8), description=xml, metadata=None)
    image = read(first, lazy=True)
    assert image.shape == (2, 8, 9)
    replaced(second, shutil.copyfile(second, tmp_path / "other"))
    with pytest.raises(ChangedFileError, match=r"a\.ome\.tif .*\(b\.ome\.tif\)"):
        image.compute()


def test_states_behind_computed_arrays(tmp_path):
    """Also of chunks of a Zarr array that are written in place, which is no error."""
    import zarr

    path = write(volume(1), tmp_path / "a.ome.zarr")
    seen = read(path, lazy=True).data[1:].max(axis=0) * 2
    before = states_behind(seen)
    assert before
    assert states_behind(seen) == before
    zarr.open(path, mode="r+")["0"][:] = 5
    assert states_behind(seen) != before
    assert np.unique(np.asarray(seen)).tolist() == [10]
