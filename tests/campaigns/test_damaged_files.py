"""Files damaged by seed: an error that names the file, or the pixels of the whole file.

`run` damages a file of each kind again and again (cut off, bytes turned, ranges zeroed, wrong sizes
in the header, another suffix) and reads it in a process of its own with a limit of ten seconds.
"""

import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import tifffile

_READER = """
import sys, warnings, json, time
import numpy as np
warnings.simplefilter("ignore")
from napari_segment import io
from napari_segment.errors import SegmentError
for line in sys.stdin:
    path, lazy = line.rstrip("\\n").split("\\t")
    try:
        image = io.read(path, lazy=lazy == "1").compute()
        np.save(path + ".result.npy", np.asarray(image.data))
        found = {"read": image.axes, "warned": len(image.header.get("warnings", ()))}
    except SegmentError as error:
        found = {"refused": str(error)}
    except BaseException as error:
        found = {"traceback": f"{type(error).__name__}: {error}"}
    print(json.dumps(found), flush=True)
"""
_SECONDS = 10
_LIBRARY = re.compile(r"object has no|<tifffile|NoneType|reshape|Traceback|force=True|plugins")


class Reader:
    """A process that reads files, started anew where it stops answering."""

    def __init__(self):
        self.process = None

    def __call__(self, path, lazy):
        import json
        import select

        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            limit = 60  # the first one waits for imports
        else:
            limit = _SECONDS
        self.process.stdin.write(f"{path}\t{int(lazy)}\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], limit)
        line = self.process.stdout.readline() if ready else ""
        if line:
            return json.loads(line)
        self.close()
        return {"traceback": "the process ended"} if ready else {"hang": limit}

    def close(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                stream.close()


@dataclass
class Whole:
    """An undamaged file, and whether its format can prove that its pixels are right."""

    path: Path
    data: np.ndarray
    checked: bool  # by a checksum over all pixels


def wholes(folder, seed):
    """One file of each kind, of random pixels."""
    from napari_segment import io
    from napari_segment.image import Image

    rng = np.random.default_rng(seed)
    data = rng.integers(0, 60000, (4, 30, 34)).astype(np.uint16)
    volume = Image(data, "ZYX", (2, 0.5, 0.5), "micrometer")
    plane = Image(rng.integers(0, 255, (40, 34)).astype(np.uint8), "YX")
    names = {
        "a.tif": volume, "a.ome.tif": volume, "a.nii": volume, "a.nii.gz": volume, "a.nrrd": volume,
        "a.npy": volume, "a.npz": volume, "a.png": plane, "a.bmp": plane, "a.jpg": plane,
        "a.ome.zarr": volume,
    }  # fmt: skip
    checked = {"a.nii.gz", "a.npz", "a.png"}
    for name, image in names.items():
        path = io.write(image, folder / name)
        yield Whole(path, np.asarray(io.read(path).data), name in checked)
    packed = folder / "packed.tif"
    tifffile.imwrite(packed, data, compression="zlib", photometric="minisblack")
    yield Whole(packed, data, checked=False)
    yield Whole(_dicom(folder / "a.dcm", data), data, checked=False)


def _dicom(path, data):
    import pydicom
    from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

    meta = pydicom.dataset.FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID = CTImageStorage, ExplicitVRLittleEndian
    meta.MediaStorageSOPInstanceUID = generate_uid()
    head = pydicom.dataset.FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    head.SOPClassUID, head.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    head.PhotometricInterpretation, head.SamplesPerPixel = "MONOCHROME2", 1
    head.NumberOfFrames, head.Rows, head.Columns = data.shape
    head.BitsAllocated, head.BitsStored, head.HighBit, head.PixelRepresentation = 16, 16, 15, 0
    head.PixelData = data.tobytes()
    head.save_as(path, enforce_file_format=True)
    return path


def damage(content, kind, rng):
    """Bytes with one kind of damage."""
    found = bytearray(content)
    if kind == "cut":
        return bytes(found[: rng.randrange(len(found))])
    if kind == "turned":
        for _ in range(rng.choice([1, 4, 32])):
            found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    elif kind == "header":
        for _ in range(rng.choice([1, 3])):
            found[rng.randrange(min(len(found), 400))] = rng.randrange(256)
    elif kind == "zeroed":
        start = rng.randrange(len(found))
        length = rng.choice([4, 64, 1024])
        found[start : start + length] = bytes(len(found[start : start + length]))
    return bytes(found)


SUFFIXES = (".tif", ".nii", ".nrrd", ".png", ".npy", ".dcm", ".jpg")
KINDS = ("cut", "turned", "header", "zeroed", "suffix")


def run(folder, count, seed):
    """Damage and read `count` files; counts of what came of them, and what is wrong."""
    rng = random.Random(seed)
    sources = list(wholes(folder, seed))
    reader, counts, faults = Reader(), Counter(), []
    reader(sources[0].path, lazy=False)
    for number in range(count):
        whole = sources[number % len(sources)]
        kind = KINDS[(number // len(sources)) % len(KINDS)]
        path = _damaged(whole, kind, rng, folder / f"damaged{number}")
        found = reader(path, lazy=rng.random() < 0.3)
        outcome, fault = _judged(found, path, whole, kind)
        counts[outcome] += 1
        if fault:
            faults.append(f"{path.name} ({whole.path.name}, {kind}): {fault}")
    reader.close()
    return counts, faults


def _damaged(whole, kind, rng, folder):
    folder.mkdir()
    path = folder / whole.path.name
    if whole.path.is_dir():
        shutil.copytree(whole.path, path)
        files = sorted(f for f in path.rglob("*") if f.is_file())
        target = rng.choice(files)
        target.write_bytes(damage(target.read_bytes(), "cut" if kind == "suffix" else kind, rng))
        return path
    if kind == "suffix":
        path = folder / (
            "a" + rng.choice([".tif", ".nii", ".nrrd", ".png", ".npy", ".dcm", ".jpg"])
        )
    path.write_bytes(damage(whole.path.read_bytes(), kind, rng))
    return path


def _judged(found, path, whole, kind):
    """What came of a file, and what is wrong with that."""
    if "refused" in found:
        text = found["refused"]
        if path.name not in text:
            return "refused", f"no name in: {text}"
        return "refused", f"a library's own words: {text}" if _LIBRARY.search(text) else ""
    if "read" not in found:
        outcome = next(iter(found))
        return outcome, str(found)
    data = np.load(f"{path}.result.npy")
    same = data.shape == whole.data.shape and np.array_equal(data, whole.data)
    if same:
        return "read, the same", ""
    if found["warned"]:
        return "read, with a warning", ""
    return _other_pixels(data, whole, kind)


def _other_pixels(data, whole, kind):
    """Bytes of pixels that changed cannot be seen without a checksum; sizes and ends can."""
    # A colour table of a BMP is data; a JPEG may declare any width, for its end is not counted.
    free = whole.path.suffix in (".bmp", ".jpg")
    larger = data.size > whole.data.size and not free
    if whole.checked or larger or kind == "cut":
        return "wrong", f"{data.shape} {data.dtype} for {whole.data.shape} {whole.data.dtype}"
    return "read, other pixels without a checksum", ""


def test_forty_files(tmp_path):
    counts, faults = run(tmp_path, 40, seed=1)
    assert not faults, "\n".join(faults)
    assert counts["refused"] > 15


@pytest.mark.nightly
def test_a_thousand_files(tmp_path):
    counts, faults = run(tmp_path, 1000, seed=2)
    print(dict(counts))
    assert not faults, "\n".join(faults)
