"""Hashes of content: whether a file is still what it was."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from napari_segment.arrays import Array

_WHOLE = 2**30  # bytes of a file up to which all of it is hashed by `content_hash`
_END = 2**24  # bytes at each end of a larger one


def file_hash(path: Path) -> str:
    """Return the hash of a file, as "sha256:" and 64 digits.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def content_hash(path: Path) -> str:
    """Return the hash of a file or folder of any size, as "sha256:…" or "sha256-of-ends:…".

    Of a file of more than a GiB its size and 16 MiB at each end are hashed; of a folder the names
    and sizes of its files. The prefix tells them apart.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file())
        listed = "\n".join(f"{p.relative_to(path).as_posix()} {p.stat().st_size}" for p in files)
        return f"sha256-of-names:{hashlib.sha256(listed.encode()).hexdigest()}"
    size = path.stat().st_size
    if size <= _WHOLE:
        return file_hash(path)
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as stream:
        digest.update(stream.read(_END))
        stream.seek(size - _END)
        digest.update(stream.read(_END))
    return f"sha256-of-ends:{digest.hexdigest()}"


def array_hash(array: Array) -> str:
    """Return the hash of type, shape and values of an array in memory; "" of a lazy one."""
    if not isinstance(array, np.ndarray):
        return ""
    digest = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    view: Any = np.ascontiguousarray(array)
    digest.update(view.view(np.uint8).reshape(-1) if view.size else b"")
    return f"sha256:{digest.hexdigest()}"
