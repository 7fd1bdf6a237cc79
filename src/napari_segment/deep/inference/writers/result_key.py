"""Key of stored results: all that a prediction depends on, and the folder of that key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from napari_segment.arrays import Sliceable
from napari_segment.deep.checkpoint import Checkpoint, versions
from napari_segment.deep.inference.dask_workers import worker_addresses
from napari_segment.deep.inference.networks.checkpoint_files import file_hashes
from napari_segment.deep.inference.options import Options, OutputName
from napari_segment.deep.inference.tiling import Grid
from napari_segment.errors import FormatError
from napari_segment.io.lock import locked
from napari_segment.io.replacing import PREFIX, placing, recover_once, write_atomically
from napari_segment.step import Step

MANIFEST = "manifest.json"
_STORE = "napari-segment.json"
_FORMAT = {"holds": "predictions", "format": 1}
_BLOCK = 2**26  # bytes of an image that are hash_pixels at once


def result_key(
    checkpoints: Sequence[Checkpoint], image: Any, spacing: Sequence[float], options: Options,
    outputs: Sequence[OutputName], grid: Grid,
) -> Generator[Step, None, dict[str, Any]]:  # fmt: skip
    """Return all that the results of a prediction depend on, as plain values.

    Parameters
    ----------
    checkpoints : sequence of Checkpoint
        The members of the ensemble; their files are hash_pixels.
    image : array (C, *S)
        Input of the network, after filters and the choice of channels and time point.
    spacing : sequence of float
        Of the image, in the network's unit.
    options : Options
        Settings of the prediction.
    outputs : sequence of str
        Names of the results.
    grid : Grid
        The tiles.

    Yields
    ------
    Step
        While an image is read that is larger than what is hash_pixels at once.
    """
    unimportant = {"store", "device"}
    settings = {k: v for k, v in vars(options).items() if k not in unimportant}
    networks = [file_hashes(checkpoint) for checkpoint in checkpoints]
    settings = {**settings, "tile": grid.tile, "axis": grid.axis}
    what = {"settings": settings, "outputs": sorted(outputs)}
    return (yield from key_of(image, spacing, networks, options.device, grid.axis, what))


def key_of(
    image: Sliceable, spacing: Sequence[float], networks: Sequence[Mapping[str, str]], device: str,
    axis: int, what: Mapping[str, Any],
) -> Generator[Step, None, dict[str, Any]]:  # fmt: skip
    """Return the key of the results of any networks on an image.

    Parameters
    ----------
    image : array (C, *S)
        Input of the prediction; its pixels are hashed.
    spacing : sequence of float
        Of the image.
    networks : sequence of mapping
        For each network the hashes of its files by name.
    device : str
        As given; results depend on its kind.
    axis : int
        Spatial axis along which the image is read.
    what : mapping
        Settings and all else that the results depend on, as plain values.
    """
    pixels = yield from hash_pixels(image, axis)
    key = {
        "image": {"shape": image.shape, "dtype": np.dtype(image.dtype).str, "sha256": pixels},
        "spacing": [float(s) for s in spacing],
        "networks": list(networks),
        **what,
        "devices": _devices(device),
        "versions": _versions(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(key))
    return plain


def hash_pixels(array: Any, axis: int) -> Generator[Step, None, str]:
    """Return the SHA-256 of an image's pixels, read block by block along one spatial axis.

    Equal pixels have equal hashes, in memory or lazy, whatever the chunks.
    """
    digest = hashlib.sha256()
    blocks = list(_blocks(array, axis + 1))
    for done, rows in enumerate(blocks):
        if done:
            yield Step(
                0, 0, f"Reading the image for the key of its results: {done / len(blocks):.0%}"
            )
        part = np.asarray(array[(*(slice(None),) * (axis + 1), rows)])
        digest.update(np.ascontiguousarray(np.moveaxis(part, axis + 1, 0)).view(np.uint8).data)
    return digest.hexdigest()


def _blocks(array: Any, axis: int) -> Iterator[slice]:
    """Yield rows of an axis: whole chunks, as many as fit into a block."""
    count = array.shape[axis]
    chunks = getattr(array, "chunksize", None) or getattr(array, "chunks", None)
    least = chunks[axis] if chunks else 1
    row = int(np.prod(array.shape)) // max(count, 1) * np.dtype(array.dtype).itemsize
    step = max(_BLOCK // max(row * least, 1), 1) * least
    return (slice(start, min(start + step, count)) for start in range(0, count, step))


def _devices(names: str) -> list[str]:
    """Return the kinds of devices: accelerators compute in other precision than CPUs."""
    from napari_segment.deep.device import resolve

    if worker_addresses():
        return ["workers", names]
    each = [name.strip() for name in names.split(",") if name.strip()] or ["auto"]
    return [resolve(name).type for name in each]


def _versions() -> dict[str, str]:
    """Return the versions of this package and of the libraries that compute."""
    computing = versions()
    for name in ("torchvision", "onnxruntime"):
        try:
            computing[name] = version(name)
        except PackageNotFoundError:
            continue
    return computing


@contextmanager
def result_folder(store: Path, key: Mapping[str, Any], networks: Sequence[Path]) -> Iterator[Path]:
    """Hold the folder of one key in a store, with its manifest.

    Parameters
    ----------
    store : Path
        The folder with the results of all keys.
    key : mapping
        All that the results depend on.
    networks : sequence of Path
        Folders of the networks, for the manifest.

    Raises
    ------
    FormatError
        If the store's folder is in use for something else.
    SettingError
        If another process is writing the same results.
    """
    _mark_store(store)
    text = json.dumps(key, sort_keys=True)
    folder = store / hashlib.sha256(text.encode()).hexdigest()[:24]
    folders = [str(network.resolve()) for network in networks]
    with locked(folder, "another prediction of the same image"):
        if not (folder / MANIFEST).exists():
            manifest = {**key, "checkpoints": folders}
            write_atomically(folder / MANIFEST, json.dumps(manifest, indent=2).encode())
        yield folder


def _mark_store(store: Path) -> None:
    """Mark a new folder as a store; refuse one that is in use for something else."""
    marker = store / _STORE
    recover_once(store.absolute())
    try:
        if json.loads(marker.read_text("utf-8")) == _FORMAT:
            return
    except (OSError, ValueError):
        pass
    if store.exists() and (not store.is_dir() or any(map(_is_foreign, store.iterdir()))):
        raise FormatError(
            f"{store} holds other files than the stored results of predictions. Give a new or an "
            "empty folder, or one that an earlier prediction wrote."
        )
    with placing(marker) as unfinished:
        unfinished.write_text(json.dumps(_FORMAT), "utf-8")


def _is_foreign(path: Path) -> bool:
    """Whether a file is not the remainder of a run that was killed while it marked the folder."""
    former = path.name.startswith(".") and path.name.endswith(".partial")
    return not (path.name.startswith(PREFIX) or former)
