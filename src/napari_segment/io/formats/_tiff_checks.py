"""What a TIFF file declares against what it holds, before its pixels are read."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import numpy as np

from napari_segment.io.containment import contained
from napari_segment.io.names import suffix
from napari_segment.io.reports import check_size, report_missing, report_warning

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

_PIXEL_TAGS = range(254, 342)  # size, description, strips, resolution, tiles, sample format
_RATIOS = {1: 1, 5: 1500, 8: 1032, 32773: 128, 32946: 1032}  # compression: bytes for one byte
_LARGE = 2**24  # below, more memory than the file can fill does no harm


@contextmanager
def collecting_log() -> Iterator[list[str]]:
    """Return the messages of tifffile, which are not shown."""
    messages: list[str] = []

    def collect(record: logging.LogRecord) -> bool:
        messages.append(record.getMessage())
        return False

    logger = logging.getLogger("tifffile")
    logger.addFilter(collect)
    try:
        yield messages
    finally:
        logger.removeFilter(collect)


def check(file: TiffFile, number: int, path: Path, messages: Sequence[str]) -> None:
    """Report what of an image is missing.

    Parameters
    ----------
    file : TiffFile
        The open file.
    number : int
        The image's number.
    path : Path
        For messages.
    messages : sequence of str
        What tifffile logged while it opened the file.

    Raises
    ------
    FormatError
        If a part is missing, unless that is allowed, or if sizes contradict each other.
    """
    series = file.series[number]
    _check_metadata(file, path, messages)
    if series.dataoffset is not None and series.dataoffset + series.nbytes > file.filehandle.size:
        _report_end(file, path)
    elif series.dataoffset is None:
        _check_planes(list(series), file, path)
    if any("missing" in m for m in messages) and all(page is not None for page in series):
        report_missing(f"{path.name}: files or planes of this image are missing.")
    extra = re.search(r"expected (\d+) frames, got (\d+)", " ".join(messages))
    if extra:
        report_warning(
            f"{path.name} holds {extra[2]} planes, but its metadata describe {extra[1]}; the rest "
            "was left out. Check the number of its planes."
        )


def check_companions(file: TiffFile, path: Path) -> None:
    """Refuse a file whose metadata name others outside of its folder, before one is opened."""
    if file.is_ome:
        for element in ElementTree.fromstring(file.ome_metadata).iter():
            for key in ("FileName", "MetadataFile"):
                if named := element.get(key):
                    contained(path.parent / named, path.parent, path)
    if file.is_ndtiff:
        for page in (page for series in file.series for page in series if page is not None):
            contained(Path(page.parent.filehandle.path), path.parent, path)


def check_end(file: TiffFile, path: Path) -> None:
    """Report a file that ends before its last page, of which tifffile gives the pages it has."""
    handle, form = file.filehandle, file.tiff
    handle.seek(file.pages.next_page_offset)
    following = int.from_bytes(
        handle.read(form.offsetsize), "little" if form.byteorder == "<" else "big"
    )
    # Of large stacks ImageJ describes but the first page; tifffile then finds no ImageJ series.
    lost = file.is_imagej and [s.kind for s in file.series] == ["generic"]
    if following + form.tagnosize > handle.size or lost:
        _report_end(file, path)


def _report_end(file: TiffFile, path: Path) -> None:
    report_missing(
        f"{path.name} is not whole: it ends after {file.filehandle.size:,} bytes, before its last "
        "page. Was it copied or downloaded to the end?"
    )


def _check_metadata(file: TiffFile, path: Path, messages: Sequence[str]) -> None:
    """Report tags that cannot be read, and a description that is OME-XML no more."""
    lost = [re.search(r"TiffTag (\d+) @", m) for m in messages]
    tags = sorted({int(m[1]) for m in lost if m and int(m[1]) in _PIXEL_TAGS})
    if tags:
        report_missing(
            f"{path.name} is cut off or damaged: the values of its tags {_listed(tags)} cannot be "
            "read (270 holds axes and spacing)."
        )
    description = str(file.pages.first.description)
    if not file.is_ome and "<OME" in description:
        report_missing(f"{path.name}: its OME-XML, which says axes and spacing, is damaged.")
    elif not file.is_ome and suffix(path).startswith(".ome") and 270 not in tags:
        report_warning(
            f"{path.name} is named as OME-TIFF but holds no OME-XML, which would say its axes and "
            "spacing. Check both, or give axes=…."
        )


def _check_planes(pages: Sequence[TiffPage], file: TiffFile, path: Path) -> None:
    absent = [i for i, page in enumerate(pages) if page is None or not any(page.databytecounts)]
    if absent:
        files = _absent_files(file, path)
        where = f": {', '.join(files)} not there" if files else ""
        report_missing(
            f"{path.name}: {len(absent)} of {len(pages)} planes are missing (numbers "
            f"{_listed(absent)}){where}."
        )
    for i in sorted(set(range(len(pages))) - set(absent)):
        _check_page(pages[i], i, path)


def _check_page(page: TiffPage, number: int, path: Path) -> None:
    offsets, counts = page.dataoffsets, page.databytecounts
    size = page.parent.filehandle.size
    ends = [o + c for o, c in zip(offsets, counts, strict=False)]
    lost = sum(end > size for end in ends)
    # A tile of no bytes is one of zeros, as GDAL writes them; a strip is not.
    lost += 0 if page.keyframe.is_tiled else sum(c == 0 for c in counts)
    expected = int(np.prod(page.keyframe.chunked))
    if lost or len(ends) < expected:
        report_missing(
            f"{path.name}: {max(lost, expected - len(ends))} of {expected} parts of plane {number} "
            "are not in the file."
        )
    ratio = _RATIOS.get(int(page.compression))
    bits = int(page.keyframe.bitspersample)
    declared = page.keyframe.nbytes if bits % 8 == 0 else 0
    exact = not lost and not page.keyframe.is_tiled and (ratio == 1 or declared > _LARGE)
    if ratio is not None and exact:
        check_size(f"{path.name}, plane {number},", declared, sum(counts), ratio=ratio)


def _absent_files(file: TiffFile, path: Path) -> list[str]:
    names = re.findall(r'FileName="([^"]+)"', file.ome_metadata or "")
    return [n for n in dict.fromkeys(names) if not (path.parent / n).is_file()]


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:8]))
    return shown if len(numbers) <= 8 else f"{shown}, …"
