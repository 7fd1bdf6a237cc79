"""Check of the external data of ONNX files: tensors may lie in the file's folder only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_segment.errors import FormatError

# Numbers of the fields of onnx.proto through which a model reaches its tensors.
_FIELDS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
_FIXED = {1: 8, 5: 4}  # bytes of the wire types of fixed length


def check_external_data(path: Path) -> list[Path]:
    """Return the files of external data; refuse those outside of the ONNX file's own folder.

    Parameters
    ----------
    path : Path
        The file. It is parsed, not loaded: no other file is opened.

    Returns
    -------
    list of Path
        Without links, each once.

    Raises
    ------
    FormatError
        If the file is no ONNX, or if external data is missing, at an absolute path, or at a path
        (also through a link) outside of the folder.
    """
    path, files = path.resolve(), []
    for location in sorted(set(external_locations(path))):
        target = (path.parent / location).resolve()
        if Path(location).is_absolute() or not target.is_relative_to(path.parent):
            raise FormatError(
                f"{path} reads tensors from {location!r}, which is outside of its folder. Only "
                "files in the folder of the model are read: the file was not loaded."
            )
        if not target.is_file():
            raise FormatError(f"{path} needs the file {location!r} in its folder. Copy it there.")
        files.append(target)
    return files


def external_locations(path: Path) -> list[str]:
    """Return the locations of all external tensors, of subgraphs and functions too."""
    try:
        with mapped(path) as view:
            return list(_locations(view))
    except (OSError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as ONNX: {error}") from None


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """Map a file into memory, without reading it."""
    import mmap

    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content,
        memoryview(content) as view,
    ):
        yield view


def _locations(view: memoryview) -> Iterator[str]:
    pending = [("model", view)]
    while pending:
        kind, message = pending.pop()
        for number, content in messages(message):
            inner = _FIELDS[kind].get(number)
            if inner == "entry":
                entry = {n: bytes(c).decode() for n, c in messages(content)}
                if entry.get(1) == "location":
                    yield entry.get(2, "")
            elif inner:
                pending.append((inner, content))


def messages(view: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and content of the fields with a length of a protocol buffer message."""
    at = 0
    while at < len(view):
        tag, at = _varint(view, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            _, at = _varint(view, at)
        elif wire in _FIXED:
            at += _FIXED[wire]
        elif wire == 2:
            length, at = _varint(view, at)
            if at + length > len(view):
                raise ValueError("a field is longer than its message")
            yield number, view[at : at + length]
            at += length
        else:
            raise ValueError(f"unknown wire type {wire}")


def _varint(view: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = view[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number has more than 64 bits")
