"""The headers of DICOM files, of which only those of images are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.errors import FormatError
from napari_segment.io.containment import contained
from napari_segment.io.reports import check_size, report_missing, report_warning

if TYPE_CHECKING:
    from pydicom import Dataset

_DIRECTORY = "1.2.840.10008.1.3.10"
_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
CONTOURS = "1.2.840.10008.5.1.4.1.1.481.3"  # an RT Structure Set
_FRAME_BYTES = 8  # of an encoded frame, the least: the head of its item
_PLAIN = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
)  # fmt: skip
_NEXT = {
    "segmentation": "Its labels are read from the file alone: give its path, or put it into a "
    "folder of its own.",
    "contours": "Its labels are read from the file alone: give its path, or put it into a folder "
    "of its own.",
    "": "Give the images of the series.",
}


def is_dicom(path: Path) -> bool:
    """Return whether a file carries the mark of DICOM."""
    with path.open("rb") as file:
        return file.read(132)[128:] == b"DICM"


def is_series(folder: Path) -> bool:
    """Return whether a folder holds a DICOM file."""
    return any(is_dicom(f) for f in folder.iterdir() if f.is_file())


def segmentation_in(path: Path) -> Path | None:
    """The file of a DICOM Segmentation, if that is all there is."""
    files = [path] if path.is_file() else [f for f in path.iterdir() if f.is_file()]
    files = [f for f in files if is_dicom(f)]
    alone = len(files) == 1 and _class(_header(files[0])) in _SEGMENTATIONS
    return files[0] if alone else None


def contours_in(path: Path) -> Path | None:
    """The file of an RT Structure Set, if that is all there is."""
    files = [path] if path.is_file() else [f for f in path.iterdir() if f.is_file()]
    files = [f for f in files if is_dicom(f)]
    return files[0] if len(files) == 1 and _class(_header(files[0])) == CONTOURS else None


def image_headers(path: Path) -> list[Any]:
    """Return the headers of a file, a folder or a DICOMDIR, of images only.

    Parameters
    ----------
    path : Path
        A file, a folder, or a DICOMDIR file.

    Raises
    ------
    FormatError
        If none is an image, saying what they are instead.
    """
    if path.is_file():
        heads = [_header(path)]
    else:
        heads = [_header(f) for f in sorted(path.iterdir()) if f.is_file() and is_dicom(f)]
    directories = [h for h in heads if _class(h) == _DIRECTORY]
    heads = [h for h in heads if _class(h) != _DIRECTORY]
    if directories and not any(_is_image(h) for h in heads):
        heads = [_header(f) for d in directories for f in _members(d)]
    images = [h for h in heads if _is_image(h)]
    if heads and not images:
        raise FormatError(_no_image(path, heads[0]))
    for head in images:
        _check(head)
    return _without_copies(images, path)


def _header(path: Path) -> Any:
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return pydicom.dcmread(path, stop_before_pixels=True)
    except InvalidDicomError:
        raise FormatError(
            f"{path.name} is no DICOM file, or one without its first part (the mark DICM and the "
            "meta information). Export it again; dcmconv of DCMTK writes what is missing."
        ) from None


def _class(head: Dataset) -> str:
    meta = getattr(head, "file_meta", {})
    return str(head.get("SOPClassUID") or meta.get("MediaStorageSOPClassUID", ""))


def _is_image(head: Dataset) -> bool:
    return "Rows" in head and "Columns" in head and _class(head) not in _SEGMENTATIONS


def _no_image(path: Path, head: Dataset) -> str:
    from pydicom.uid import UID

    name = UID(_class(head)).name.removesuffix(" Storage") if _class(head) else "unknown object"
    modality = str(head.get("Modality", ""))
    kind = "segmentation" if _class(head) in _SEGMENTATIONS else ""
    kind = "contours" if modality == "RTSTRUCT" else kind
    said = f" (modality {modality})" if modality else ""
    return f"{path.name} holds no image but a DICOM {name}{said}. {_NEXT[kind]}"


def _members(directory: Dataset) -> list[Path]:
    """Return the files that a DICOMDIR lists."""
    root = Path(directory.filename).parent
    listed = [r.ReferencedFileID for r in directory.DirectoryRecordSequence if _refers(r)]
    files = [root.joinpath(*([n] if isinstance(n, str) else n)) for n in listed]
    for file in files:
        contained(file, root, Path(directory.filename))
    absent = [f for f in files if not f.is_file()]
    if absent:
        shown = ", ".join(str(f.relative_to(root)) for f in absent[:4])
        report_missing(
            f"{Path(directory.filename).name} in {root} lists {len(files)} files, of which "
            f"{len(absent)} are not there ({shown}…)."
        )
    return [f for f in files if f.is_file()]


def _refers(record: Dataset) -> bool:
    return bool(record.get("ReferencedFileID")) and record.get("DirectoryRecordType") == "IMAGE"


def _check(head: Dataset) -> None:
    """Refuse what the file cannot hold, before anything is made of it."""
    path = Path(head.filename)
    frames = int(head.get("NumberOfFrames") or 1)
    rows, columns = int(head.Rows), int(head.Columns)
    if min(frames, rows, columns) < 1:
        raise FormatError(
            f"{path.name} declares {frames} frames of {rows} × {columns} pixels: its header is "
            "damaged. Export it again."
        )
    size = path.stat().st_size
    bits = int(head.get("BitsAllocated") or 8) * int(head.get("SamplesPerPixel") or 1)
    syntax = str(getattr(head, "file_meta", {}).get("TransferSyntaxUID", ""))
    if syntax in _PLAIN and not str(head.get("PhotometricInterpretation", "")).startswith("YBR"):
        check_size(path.name, frames * rows * columns * bits // 8, size)
    else:
        check_size(f"{path.name} with {frames} frames", frames * _FRAME_BYTES, size)


def _without_copies(heads: Sequence[Any], path: Path) -> list[Any]:
    """Return one of each image, where a folder holds copies."""
    unique: dict[str, Any] = {}
    for head in heads:
        unique.setdefault(str(head.get("SOPInstanceUID") or head.filename), head)
    if len(unique) < len(heads):
        report_warning(
            f"{path.name} holds {len(heads) - len(unique)} files that are copies of others (the "
            "same SOP Instance UID); each image was taken once."
        )
    return list(unique.values())
