"""Files damaged by seed: an error that names the file, or the pixels of the whole file.

`run` damages a file of each kind again and again (cut off, bytes turned, ranges zeroed, wrong bytes
or the header of another file, sizes larger than the file, another suffix, members missing or those
of another file) and reads it in a process of its own with a limit of ten seconds of work.
"""

import random
import re
import shutil
import struct
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
    started = time.process_time()
    try:
        image = io.read(path, lazy=lazy == "1").compute()
        np.save(path + ".result.npy", np.asarray(image.data))
        found = {"read": image.axes, "warned": len(image.header.get("warnings", ()))}
    except SegmentError as error:
        found = {"refused": str(error)}
    except BaseException as error:
        found = {"traceback": f"{type(error).__name__}: {error}"}
    if time.process_time() - started > 10:
        found = {"hang": time.process_time() - started}
    print(json.dumps(found), flush=True)
"""
_SECONDS = 120  # of a machine that is busy; ten of its own are too many
_LIBRARY = re.compile(r"object has no|<tifffile|NoneType|reshape|Traceback|force=True|plugins")
_NEXT = re.compile(
    r"\b(Copy|Export|Rename|Give|Save|Put|Check|Read|Say|say|Write|Convert|copy|export|Correct|Allow)\b"
)


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
            limit = 2 * _SECONDS  # the first one waits for imports
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
        "a.ome.zarr": volume, "a.mha": volume, "a.h5": volume, "mhd/a.mhd": volume,
        "nhdr/a.nhdr": volume,
    }  # fmt: skip
    checked = {"a.nii.gz", "a.npz", "a.png"}
    for name, image in names.items():
        path = io.write(image, folder / name)
        yield Whole(path, np.asarray(io.read(path).data), name in checked)
    yield Whole(_pair(folder / "pair" / "a.hdr", data), data, checked=False)
    yield Whole(_slices(folder / "series", data), data, checked=False)
    packed = folder / "packed.tif"
    tifffile.imwrite(packed, data, compression="zlib", photometric="minisblack")
    yield Whole(packed, data, checked=False)
    yield Whole(_dicom(folder / "a.dcm", data), data, checked=False)


def _pair(path, data):
    """NIfTI in two files."""
    import nibabel

    path.parent.mkdir()
    nibabel.save(nibabel.Nifti1Pair(data.T, np.diag([0.5, 0.5, 2, 1])), path)
    return path


def _slices(folder, data):
    """A DICOM series of a file for each slice."""
    folder.mkdir()
    for number, plane in enumerate(data):
        _dicom(folder / f"{number}.dcm", plane[None], number)
    return folder


def _dicom(path, data, number=None):
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
    if number is not None:
        head.SeriesInstanceUID, head.InstanceNumber = "1.2.3", number + 1
        head.ImageOrientationPatient, head.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.5, 0.5]
        head.ImagePositionPatient = [0, 0, 2 * number]
        del head.NumberOfFrames
    head.PixelData = data.tobytes()
    head.save_as(path, enforce_file_format=True)
    return path


def damage(content, kind, rng, other=b""):
    """Bytes with one kind of damage."""
    changed = bytearray(content)
    if kind == "cut":
        return bytes(changed[: rng.randrange(len(changed))])
    if kind == "turned":
        for _ in range(rng.choice([1, 4, 32])):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    elif kind == "header":
        for _ in range(rng.choice([1, 3])):
            changed[rng.randrange(min(len(changed), 400))] = rng.randrange(256)
    elif kind == "zeroed":
        start = rng.randrange(len(changed))
        length = rng.choice([4, 64, 1024])
        changed[start : start + length] = bytes(len(changed[start : start + length]))
    elif kind == "swapped":
        length = rng.choice([16, 132, 400])
        changed[:length] = other[:length]
    elif kind == "larger":
        return _larger(bytes(changed), rng)
    return bytes(changed)


def _larger(content, rng):
    """The same with a size of the image, as a number or as text, that is far larger."""
    start = content[:2000]
    spellings = [
        (code, struct.pack(code, size), struct.pack(code, 30000))
        for size in (4, 30, 34, 40) for code in ("<H", ">H", "<I", ">I")
    ]  # fmt: skip
    spellings += [("text", f" {size}".encode(), b" 30000") for size in (4, 30, 34, 40)]
    present = [(old, new) for _, old, new in spellings if old in start]
    if not present:
        return content[: len(content) // 2]
    old, new = rng.choice(present)
    offsets = [m.start() for m in re.finditer(re.escape(old), start)]
    at = rng.choice(offsets)
    return content[:at] + new + content[at + len(old) :]


KINDS = (
    "cut", "turned", "header", "zeroed", "suffix", "swapped", "larger", "missing", "mixed",
)  # fmt: skip
SUFFIXES = (".tif", ".nii", ".nrrd", ".png", ".npy", ".dcm", ".jpg", ".mha", ".h5", ".hdr")


def run(folder, count, seed):
    """Damage and read `count` files; counts of what came of them, and what is wrong."""
    rng = random.Random(seed)
    sources = list(wholes(folder, seed))
    reader, counts, faults = Reader(), Counter(), []
    reader(sources[0].path, lazy=False)
    for number in range(count):
        whole, other = sources[number % len(sources)], rng.choice(sources)
        kind = KINDS[(number // len(sources) + number) % len(KINDS)]
        path = _damaged(whole, other, kind, rng, folder / f"damaged{number}")
        answer = reader(path, lazy=rng.random() < 0.3)
        outcome, fault = _judged(answer, path, whole, kind)
        counts[outcome] += 1
        if fault:
            faults.append(f"{path.name} ({number}: {whole.path.name}, {kind}): {fault}")
    reader.close()
    return counts, faults


def _members(path):
    """The files that make up an image: one, those of a folder, or those with a header."""
    if path.is_dir():
        return sorted(f for f in path.rglob("*") if f.is_file())
    return sorted(path.parent.iterdir()) if path.parent.name in ("pair", "mhd", "nhdr") else [path]


def _damaged(whole, other, kind, rng, folder):
    folder.mkdir()
    members, others = _members(whole.path), _members(other.path)
    root = whole.path if whole.path.is_dir() else whole.path.parent
    copied = {m: folder / root.name / m.relative_to(root) for m in members}
    for source, target in copied.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    path = folder / root.name / ("" if whole.path.is_dir() else whole.path.name)
    if kind in ("missing", "mixed", "suffix") and len(members) == 1:
        kind = "suffix"
    target = rng.choice(list(copied.values()))
    if kind == "missing":
        target.unlink()
    elif kind == "mixed":
        target.write_bytes(rng.choice(others).read_bytes())
    else:
        donor = rng.choice(others).read_bytes()
        damaged = damage(target.read_bytes(), "cut" if kind == "suffix" else kind, rng, donor)
        target.write_bytes(damaged)
    if kind == "suffix" and len(members) == 1:
        path = path.rename(path.with_name("a" + rng.choice(SUFFIXES)))
    return path


def _judged(answer, path, whole, kind):
    """What came of a file, and what is wrong with that."""
    if "refused" in answer:
        text = answer["refused"]
        if path.name not in text:
            return "refused", f"no name in: {text}"
        if _LIBRARY.search(text):
            return "refused", f"a library's own words: {text}"
        return "refused", "" if _NEXT.search(text) else f"no next step: {text}"
    if "read" not in answer:
        outcome = next(iter(answer))
        return outcome, str(answer)
    data = np.load(f"{path}.result.npy")
    same = data.shape == whole.data.shape and np.array_equal(data, whole.data)
    if same:
        return "read, the same", ""
    if answer["warned"]:
        return "read, with a warning", ""
    return _other_pixels(data, whole, kind)


def _other_pixels(data, whole, kind):
    """Bytes of pixels that changed cannot be seen without a checksum; sizes and ends can."""
    # A colour table of a BMP is data; a JPEG may declare any width, for its end is not counted.
    free = whole.path.suffix in (".bmp", ".jpg") or kind in ("mixed", "swapped")
    larger = data.size > whole.data.size and not free
    # Nothing says that a Zarr array lacks chunks, or a DICOM series its first or last slice.
    lost = kind == "missing" and whole.path.suffix != ".zarr" and whole.path.name != "series"
    if (whole.checked and kind != "mixed") or larger or lost or kind == "cut":
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
