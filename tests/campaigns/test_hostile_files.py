"""Files made to cost memory, time or more: refused at once, with the bound in the message.

Each file claims far more than it holds, in its header or in what it unpacks to. All are read in one
process whose memory is limited, so that one allocation of what they claim would end it.
"""

import gzip
import json
import pickle
import random
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import tifffile

MEMORY = 6 * 2**30  # of address space; Python and its libraries take two
SECONDS = 20
_READER = """
import json, resource, sys, time, warnings
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
warnings.simplefilter("ignore")
from napari_segment import io
from napari_segment.errors import SegmentError
for line in sys.stdin:
    path, lazy = line.rstrip("\\n").split("\\t")
    started = time.perf_counter()
    try:
        answer = {"read": list(io.read(path, lazy=lazy == "1").compute().shape)}
    except SegmentError as error:
        answer = {"refused": str(error)}
    except BaseException as error:
        answer = {"traceback": f"{type(error).__name__}: {error}"}
    answer["seconds"] = time.perf_counter() - started
    print(json.dumps(answer), flush=True)
"""


class Boom:
    """What a pickle runs when it is loaded."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


def side(rng):
    return rng.choice([2**15, 2**16 - 1, 2**20, 2**30])


def png(folder, rng):
    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", side(rng) % 2**31, 2**20, 16, 6, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    return (folder / "a.png"), b"\x89PNG\r\n\x1a\n" + body


def npy(folder, rng):
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({side(rng)}, {2**20}), }}".encode()
    head = head.ljust(117) + b"\n"
    return folder / "a.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + bytes(64)


def pickled_npy(folder, rng):
    head = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    content = pickle.dumps([Boom(str(folder / "ran"))])
    return folder / "a.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head + content


def npz(folder, rng):
    path = folder / "a.npz"
    np.savez_compressed(path, data=np.zeros((64, 64)))
    content = path.read_bytes()
    # The sizes of the member in its own head and in the list at the end.
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(mark) + offset
        content = content[:at] + struct.pack("<I", 2**32 - 2) + content[at + 4 :]
    return path, content


def nifti(folder, rng):
    import nibabel

    head = nibabel.Nifti1Header()
    head.set_data_shape((32767, 32767, rng.choice([100, 32767])))
    head.set_data_dtype(np.float64)
    head["magic"], head["vox_offset"] = b"n+1", 352
    content = head.structarr.tobytes() + bytes(4) + bytes(1000)
    packed = rng.random() < 0.5
    return folder / ("a.nii.gz" if packed else "a.nii"), gzip.compress(
        content
    ) if packed else content


def nrrd(folder, rng):
    encoding = rng.choice(["raw", "gzip"])
    head = (
        f"NRRD0004\ntype: double\ndimension: 2\nsizes: {side(rng)} {2**20}\nencoding: {encoding}\n"
    )
    head += "endian: little\n\n"
    return folder / "a.nrrd", head.encode() + gzip.compress(bytes(1000))


def tiff(folder, rng):
    path = folder / "a.tif"
    tifffile.imwrite(path, np.zeros((16, 16), "u1"), photometric="minisblack")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        for name in ("ImageWidth", "ImageLength"):
            tag = file.pages[0].tags[name]
            size = 4 if tag.dtype == 4 else 2
            content[tag.valueoffset : tag.valueoffset + size] = b"\xff" * (size - 1) + b"\x3f"
    return path, bytes(content)


def dicom(folder, rng):
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.TransferSyntaxUID = rng.choice([ExplicitVRLittleEndian, JPEGBaseline8Bit])
    meta.MediaStorageSOPInstanceUID = generate_uid()
    head = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    head.SOPClassUID, head.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    head.PhotometricInterpretation, head.SamplesPerPixel = "MONOCHROME2", 1
    head.NumberOfFrames, head.Rows, head.Columns = 200_000_000, 1, rng.choice([1, 65535])
    head.BitsAllocated, head.BitsStored, head.HighBit, head.PixelRepresentation = 8, 8, 7, 0
    head.save_as(folder / "a.dcm", enforce_file_format=True)
    return folder / "a.dcm", (folder / "a.dcm").read_bytes()


def zarr(folder, rng):
    path = folder / "a.zarr"
    path.mkdir()
    chunk = rng.choice([64, 2**20])
    card = {"zarr_format": 2, "shape": [2**20, 2**20], "chunks": [chunk, chunk], "dtype": "<f8"}
    card |= {"fill_value": 0, "order": "C", "filters": None, "compressor": None}
    (path / ".zarray").write_text(json.dumps(card))
    return path, None


def pickled_zarr(folder, rng):
    path = folder / "a.zarr"
    path.mkdir()
    pickling, plain = {"id": "pickle"}, {"id": rng.choice(["vlen-utf8", "vlen-bytes"])}
    filters, compressor = rng.choice(
        [([plain, pickling], None), ([plain], pickling), ([pickling], None)]
    )
    card = {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "|O", "fill_value": ""}
    card |= {"order": "C", "filters": filters, "compressor": compressor}
    (path / ".zarray").write_text(json.dumps(card))
    (path / "0").write_bytes(pickle.dumps(Boom(str(folder / "ran"))))
    return path, None


MAKERS = (png, npy, pickled_npy, npz, nifti, nrrd, tiff, dicom, zarr, pickled_zarr)


def run(folder, count, seed):
    """Make and read `count` files; what came of them that should not."""
    rng = random.Random(seed)
    paths = []
    for number in range(count):
        own = folder / f"{number:04d}"
        own.mkdir()
        path, content = MAKERS[number % len(MAKERS)](own, rng)
        if content is not None:
            path.write_bytes(content)
        paths.append(path)
    lines = "".join(
        f"{path}\t{int(rng.random() < 0.3 and path.suffix != '.zarr')}\n" for path in paths
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", _READER, str(MEMORY)], input=lines, text=True,
        capture_output=True, timeout=60 + SECONDS * count, check=False,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    faults = (
        []
        if len(answers) == count
        else [f"{count - len(answers)} without answer: {done.stderr[-500:]}"]
    )
    for path, answer in zip(paths, answers, strict=False):
        text = answer.get("refused", "")
        if path.name not in text or len(text) > 2000 or answer["seconds"] > SECONDS:
            faults.append(f"{path}: {answer}")
        if (path.parent / "ran").exists():
            faults.append(f"{path} ran")
    return faults


@pytest.mark.skipif(sys.platform == "win32", reason="limits of memory are those of POSIX")
def test_ten_files(tmp_path):
    assert not run(tmp_path, 10, seed=1)


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="limits of memory are those of POSIX")
def test_a_thousand_files(tmp_path):
    assert not run(tmp_path, 1000, seed=2)
