"""NumPy files: ``.npy`` holds the pixels alone, ``.npz`` the geometry too."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Index, Lazy
from napari_segment.errors import FormatError
from napari_segment.image import Stack
from napari_segment.io.boundary import lazy_array
from napari_segment.io.contents import (
    KEY,
    Contents,
    extras,
    from_extras,
    from_text,
    gather,
    to_text,
)
from napari_segment.io.names import suffix
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import DEFLATE, check_expansion, check_size

if TYPE_CHECKING:
    from numpy.lib.npyio import NpzFile


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read a NumPy file; the parameters are those of `napari_segment.io.read`.

    Of an ``.npz`` file the only array is taken, or the one that `series` names.
    """
    try:
        if suffix(path) == ".npy":
            with path.open("rb") as file:
                _check_array(file, path.stat().st_size, path)
        loaded = np.load(path, allow_pickle=False, mmap_mode="r" if lazy else None)
    except ValueError as error:
        if not re.search("pickle|magic", str(error)):
            raise
        raise FormatError(
            f"{path} cannot be read as NumPy file: it holds no array of numbers. Save an array of "
            "integers or floats."
        ) from None
    if suffix(path) == ".npz":
        return _archive(loaded, path, axes, series)
    return gather(path, _mapped(path) if lazy else loaded, "", wanted=axes)


def _archive(archive: NpzFile, path: Path, axes: str, series: str) -> Contents:
    with archive:
        names = [n for n in archive.files if n != KEY]
        if series not in names and len(names) != 1:
            listed = ", ".join(names) or "no array"
            raise FormatError(f"{path} holds {listed}; say which by series=….")
        assert archive.zip is not None
        with archive.zip.open(f"{series or names[0]}.npy") as file:
            member = archive.zip.getinfo(f"{series or names[0]}.npy")
            _check_array(file, member.file_size, path)
        check_size(path.name, member.file_size, path.stat().st_size, ratio=DEFLATE)
        check_expansion(path.name, member.file_size, path.stat().st_size)
        data = archive[series or names[0]]
        saved = from_text(str(archive[KEY])) if KEY in archive.files else {}
    own = saved.get("axes", "")
    spatial = [a for a in own if a in "ZYX"]
    scale = dict(zip(spatial, saved.get("spacing", ()), strict=False))
    return gather(path, data, own, scale, wanted=axes, **from_extras(saved))


def _check_array(file: IO[bytes], held: int, path: Path) -> None:
    """Compare the size in the header of an array with the bytes that follow."""
    form = np.lib.format
    version = form.read_magic(file)
    reader = form.read_array_header_1_0 if version == (1, 0) else form.read_array_header_2_0
    shape, _, dtype = reader(file)
    if not dtype.hasobject:
        check_size(path.name, math.prod(shape) * dtype.itemsize, held - file.tell())


class _Mapped:
    """The array of an ``.npy`` file, mapped anew in every process that reads from it."""

    def __init__(self, path: Path) -> None:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
        self.path, self.shape, self.dtype, self.ndim = path, array.shape, array.dtype, array.ndim

    def __getitem__(self, index: Index) -> NDArray[Any]:
        return np.array(np.load(self.path, mmap_mode="r", allow_pickle=False)[index])


def _mapped(path: Path) -> Lazy:
    return lazy_array(_Mapped(path.absolute()), path, "NumPy file")


def write(stack: Stack, path: Path) -> None:
    """Write ``.npz``, compressed, with the geometry, or ``.npy`` without; any type."""
    data = np.asarray(stack.compute().data)
    if suffix(path) == ".npy":
        np.save(path, data)
        return
    saved = extras(stack, "unit", "interval") | {"spacing": list(stack.spacing)}
    members: dict[str, Any] = {"data": data, KEY: np.array(to_text(saved))}
    np.savez_compressed(path, **members)


formats.add(Format(
    name="npy", title="NumPy file", suffixes=(".npy",), read=read, write=write, lazy=True
))  # fmt: skip
formats.add(Format(name="npz", title="NumPy file", suffixes=(".npz",), read=read, write=write))
