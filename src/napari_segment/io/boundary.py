"""The boundary to the libraries that read files: whatever they raise becomes a FormatError."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Index, Lazy, Stored
from napari_segment.errors import ChangedFileError, FormatError, InputError, MissingError
from napari_segment.io.changed import State, Unchanged, state_of_folder

_MAGIC = {
    b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"II*\0": "TIFF", b"MM\0*": "TIFF",
    b"II+\0": "TIFF", b"MM\0+": "TIFF", b"NRRD": "NRRD", b"\x93NUMPY": "NumPy", b"\x89HDF": "HDF5",
    b"%PDF": "PDF",
}  # fmt: skip
# What only the authors of a library understand.
_INTERNAL = re.compile(
    r"[<>{}\[\]]|0x|object|attribute|argument|NoneType|index|force=|plugin|struct|reshape|buffer|"
    r"pickle|codec|literal|.{120}|unpack|__|\berror code\b|returned|b'|broadcast|Header"
)


@contextmanager
def reading(path: Path, title: str) -> Iterator[None]:
    """Turn any error of a library that reads a file into one that names the file and a next step.

    Parameters
    ----------
    path : Path
        The file or folder that is read.
    title : str
        Its format, for the message.

    Raises
    ------
    FormatError
        In place of every `Exception`, with the original as its cause. `KeyboardInterrupt` and
        its kind pass.
    """
    try:
        yield
    except MissingError:
        raise
    except ChangedFileError:
        raise
    except (FormatError, InputError) as error:
        if path.name in str(error):
            raise
        raise type(error)(f"{path.name}: {error}") from error
    except Exception as error:
        raise FormatError(_message(path, title, error)) from error


def _message(path: Path, title: str, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        missing = error.filename or path
        return (
            f"{path} cannot be read: {missing} is not there on {platform.node()!r}. Put it back; "
            "the workers of a cluster must see the same files, under the same paths."
        )
    if isinstance(error, PermissionError):
        return f"{path} cannot be read: permission denied. Allow this user to read it."
    if isinstance(error, MemoryError):
        return (
            f"{path} needs more memory than is free. Read it lazily (lazy=True, --lazy); if it is "
            "small, its header is damaged."
        )
    return f"{path} cannot be read as {title}: {_cause(path, title, error)}"


def _cause(path: Path, title: str, error: Exception) -> str:
    """Say what is wrong with a file in our own terms; a library's are added where plain."""
    content = _content(path)
    if content == "":
        return "it is empty (0 bytes). Copy or export it again."
    if content and content not in title:
        return f"its content is that of a {content} file. Rename it to the suffix of that format."
    detail = " ".join(str(error).split()).rstrip(".")
    detail = f" ({detail})" if detail and not _INTERNAL.search(detail) else ""
    return (
        f"its content is not as the format describes it{detail}. It is damaged, cut off or of "
        "another kind: copy or export it again."
    )


def _content(path: Path) -> str | None:
    """Return the format that the first bytes of a file name; "" for an empty file."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        start = file.read(132)
    if not start:
        return ""
    if start[128:] == b"DICM":
        return "DICOM"
    return next((name for magic, name in _MAGIC.items() if start.startswith(magic)), None)


class _Blocks:
    """An array in a file whose every access passes the boundary.

    A file that is rewritten behind it is refused: parts of two files would make one image.
    """

    def __init__(self, source: Stored, path: Path, title: str, files: tuple[Path, ...]) -> None:
        self.source, self.path, self.title = source, Path(path), title
        self.shape, self.dtype, self.ndim = source.shape, source.dtype, source.ndim
        self.unchanged = Unchanged(path, files)

    def __getitem__(self, index: Index) -> NDArray[Any]:
        with reading(self.path, self.title), self.unchanged:
            return np.asarray(self.source[index])

    def states(self) -> tuple[State, ...]:
        """Return the present states of the files, and of the chunks of a Zarr array."""
        folder = getattr(self.source, "folder", None)
        chunks = () if folder is None else (state_of_folder(folder),)
        return (*self.unchanged.states(), *chunks)


def lazy_array(
    source: Stored,
    path: Path,
    title: str,
    chunks: str | tuple[object, ...] = "auto",
    files: tuple[Path, ...] = (),
) -> Lazy:
    """Make a Dask array of an array in a file.

    Parameters
    ----------
    source : array-like
        Has ``shape``, ``dtype``, ``ndim`` and indexing by slices, and can be pickled.
    path, title
        As of `reading`.
    chunks : str or tuple
        As of `dask.array.from_array`.
    files : tuple of Path
        What is refused once it was rewritten; the file itself where nothing is given.

    Raises
    ------
    ChangedFileError
        When pixels are computed after one of the files was rewritten.
    """
    import dask.array as da

    meta = np.empty((0,) * source.ndim, source.dtype)
    watched = files or ((Path(path),) if Path(path).is_file() else ())
    blocks = _Blocks(source, path, title, watched)
    return da.from_array(blocks, chunks=chunks, name=False, meta=meta)


def states_behind(array: Lazy) -> tuple[State, ...]:
    """Return the present states of the files from which a Dask array is computed."""
    layers = getattr(array.dask, "layers", {})
    roots = [
        next(iter(layer.values()))
        for name, layer in layers.items()
        if name.startswith("original-") and len(layer) == 1
    ]
    sources = (getattr(root, "value", root) for root in roots)
    return tuple(s for source in sources if isinstance(source, _Blocks) for s in source.states())
