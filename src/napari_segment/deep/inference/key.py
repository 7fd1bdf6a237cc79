"""What a prediction depends on: the key of its stored results, and the folder of that key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from napari_segment.deep.checkpoint import MODEL, WEIGHTS, Checkpoint, versions, write_atomically
from napari_segment.deep.inference.options import Gives, Options
from napari_segment.deep.inference.tiling import Grid
from napari_segment.errors import FormatError
from napari_segment.step import Step

MANIFEST = "manifest.json"
_STORE = "napari-segment.json"
_FORMAT = {"holds": "predictions", "format": 1}
_BLOCK = 2**26  # bytes of an image that are hashed at once


def key_of(
    checkpoints: Sequence[Checkpoint], image: Any, spacing: Sequence[float], options: Options,
    gives: Sequence[Gives], grid: Grid,
) -> Generator[Step, None, dict[str, Any]]:  # fmt: skip
    """All that the results of a prediction depend on, as plain values.

    Parameters
    ----------
    checkpoints : sequence of Checkpoint
        The members of the ensemble; their files are hashed.
    image : array (C, *S)
        What the network sees, after filters and the choice of channels and time point.
    spacing : sequence of float
        Of the image, in the network's unit.
    options : Options
        How to predict.
    gives : sequence of str
        What is wanted.
    grid : Grid
        The tiles.

    Yields
    ------
    Step
        While an image is read that is larger than what is hashed at once.
    """
    pixels = yield from hashed(image, grid.axis)
    unimportant = {"store", "device"}
    settings = {k: v for k, v in vars(options).items() if k not in unimportant}
    key = {
        "image": {"shape": image.shape, "dtype": np.dtype(image.dtype).str, "sha256": pixels},
        "spacing": [float(s) for s in spacing],
        "networks": [fingerprint(checkpoint) for checkpoint in checkpoints],
        "settings": {**settings, "tile": grid.tile, "axis": grid.axis},
        "gives": sorted(gives),
        "devices": _devices(options.device),
        "versions": _versions(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(key))
    return plain


def hashed(array: Any, axis: int) -> Generator[Step, None, str]:
    """The SHA-256 of an image's pixels, read block by block along one spatial axis.

    The same pixels have the same hash, in memory or lazy, however they are cut into chunks.
    """
    found = hashlib.sha256()
    blocks = list(_blocks(array, axis + 1))
    for done, rows in enumerate(blocks):
        if done:
            yield Step(0, 0, f"Reading the image, to know it again: {done / len(blocks):.0%}")
        part = np.asarray(array[(*(slice(None),) * (axis + 1), rows)])
        found.update(np.ascontiguousarray(np.moveaxis(part, axis + 1, 0)).view(np.uint8).data)
    return found.hexdigest()


def _blocks(array: Any, axis: int) -> Iterator[slice]:
    """Rows of an axis, whole chunks together, as many as fit into a block."""
    count = array.shape[axis]
    chunks = getattr(array, "chunksize", None) or getattr(array, "chunks", None)
    least = chunks[axis] if chunks else 1
    row = int(np.prod(array.shape)) // max(count, 1) * np.dtype(array.dtype).itemsize
    step = max(_BLOCK // max(row * least, 1), 1) * least
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def fingerprint(checkpoint: Checkpoint) -> dict[str, str]:
    """Hashes of the files of a trained network."""
    return {name: _hash_of(checkpoint.folder / name) for name in (MODEL, WEIGHTS)}


def _hash_of(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FormatError(f"Cannot read {path}: {error}") from None


def _devices(names: str) -> list[str]:
    """The kinds of devices: accelerators compute in other precision than CPUs."""
    from napari_segment.deep.device import resolve
    from napari_segment.deep.inference.cluster import workers

    if workers():
        return ["workers", names]
    each = [name.strip() for name in names.split(",") if name.strip()] or ["auto"]
    return [resolve(name).type for name in each]


def _versions() -> dict[str, str]:
    """Versions of what computes: our own, and the libraries below it."""
    computing = versions()
    for name in ("torchvision", "onnxruntime"):
        try:
            computing[name] = version(name)
        except PackageNotFoundError:
            continue
    return computing


def folder_of(store: Path, key: Mapping[str, Any], checkpoints: Sequence[Checkpoint]) -> Path:
    """The folder of one key in a store; its manifest says what the results are of.

    Raises
    ------
    FormatError
        If the store's folder holds anything else.
    """
    _begin(store)
    text = json.dumps(key, sort_keys=True)
    folder = store / hashlib.sha256(text.encode()).hexdigest()[:24]
    folders = [str(checkpoint.folder.resolve()) for checkpoint in checkpoints]
    if not (folder / MANIFEST).exists():
        manifest = {**key, "checkpoints": folders}
        write_atomically(folder / MANIFEST, json.dumps(manifest, indent=2).encode())
    return folder


def _begin(store: Path) -> None:
    """Mark a new folder as a store; refuse one that is in use for something else."""
    note = store / _STORE
    try:
        if json.loads(note.read_text("utf-8")) == _FORMAT:
            return
    except (OSError, ValueError):
        pass
    if store.exists() and (not store.is_dir() or any(map(_is_foreign, store.iterdir()))):
        raise FormatError(
            f"{store} holds something that is not the store of an earlier prediction by this "
            "version. Give a new folder."
        )
    write_atomically(note, json.dumps(_FORMAT).encode())


def _is_foreign(path: Path) -> bool:
    """Not what a run leaves that was killed while it marked the folder."""
    return not path.name.startswith(f".{_STORE}.")
