"""Identity of a checkpoint's files: hashes of their content, and states that are cheap to read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from napari_segment.deep.checkpoint import MODEL, WEIGHTS, Checkpoint
from napari_segment.errors import FormatError
from napari_segment.io.changed import State, state_of


def file_hashes(checkpoint: Checkpoint) -> dict[str, str]:
    """Return the SHA-256 of ``model.json`` and of the weights, by file name."""
    return {name: file_hash(checkpoint.folder / name) for name in (MODEL, WEIGHTS)}


def file_states(checkpoint: Checkpoint) -> State:
    """Return the states of the same files, for the keys of caches: nothing is read."""
    files = (checkpoint.folder / name for name in (MODEL, WEIGHTS))
    return tuple(number for file in files for number in state_of(file))


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FormatError(f"Cannot read {path}: {error}") from None
