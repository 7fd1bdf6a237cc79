"""Predict with checkpoints: normalisation, spacing, tiles, decoding, and where it all goes."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.data.resample import Neighbours, Resampled, resampled_shape
from napari_segment.deep.inference import decoding as decoders
from napari_segment.deep.inference.decoding import Decode
from napari_segment.deep.inference.key import folder_of, key_of
from napari_segment.deep.inference.memory import estimate
from napari_segment.deep.inference.networks import network_of, places_of
from napari_segment.deep.inference.options import Gives, Options
from napari_segment.deep.inference.regrid import Regrid
from napari_segment.deep.inference.tiling import Grid, Reader
from napari_segment.deep.inference.volume import laid_out
from napari_segment.deep.inference.writers import InMemoryWriter, MultiWriter, ZarrWriter
from napari_segment.deep.inference.zarr_store import Store
from napari_segment.errors import InputError, SettingError
from napari_segment.step import Step


def predict_with(
    checkpoints: Sequence[Checkpoint],
    image: Any,
    spacing: Sequence[float] = (),
    options: Options | None = None,
    gives: Gives = "labels",
) -> Generator[Step, None, Any]:
    """Predict an image of any size with a trained network, or the mean of several.

    As `predict_several`, of which this gives one result.
    """
    results = yield from predict_several(checkpoints, image, spacing, options, (gives,))
    return results[gives]


def predict_several(
    checkpoints: Sequence[Checkpoint],
    image: Any,
    spacing: Sequence[float] = (),
    options: Options | None = None,
    gives: Sequence[Gives] = ("labels",),
) -> Generator[Step, None, dict[str, Any]]:
    """Predict an image of any size, and give several results of one run.

    The image is brought to the network's spacing and normalised as in training, tile by tile;
    what comes out is brought back onto the image's own voxels as probabilities, so that no class
    is invented between two others.

    Parameters
    ----------
    checkpoints : sequence of Checkpoint
        Of the same task.
    image : array (C, *S)
        NumPy, Dask or zarr.
    spacing : sequence of float
        Of the spatial axes, in the unit of the checkpoint; empty for the checkpoint's own.
    options : Options, optional
        How.
    gives : sequence of {"labels", "probabilities", "entropy", "disagreement"}
        What is wanted: class numbers, probabilities ``(K, *S)``, how unsure the probabilities are
        (entropy, 0 to 1), or how much several checkpoints differ (mutual information, 0 to 1).

    Yields
    ------
    Step
        While a large image is read for the key of stored results; then how much memory it takes.

    Returns
    -------
    dict of str to array (*S) or (K, *S)
        By what is wanted. Lazy (Dask) where ``options.store`` keeps them in folders, else NumPy.
    """
    options = options or Options()
    first = checkpoints[0]
    check(checkpoints, image, spacing)
    numbers = first.statistics(image)
    window = _window(options.region, image.shape[1:])
    part = image[(slice(None), *window)] if options.region else image
    seen = on_grid(first, part, spacing)
    network = network_of(checkpoints, options, gives)
    network, grid = laid_out(network, seen, options.tile or first.patch, options.overlap)
    places = places_of(network, grid, checkpoints, options, gives)
    key = {}
    if not options.in_memory:
        key = yield from key_of(checkpoints, image, spacing, options, gives, grid)
    sink = _sink(options, image.shape[1:], window, grid, checkpoints, gives, key)
    put = _decoded(grid, part.shape[1:], _decoder(first, options, gives), sink)
    begin = put.first(sink.done)
    yield _announced(network, grid, first, options, gives, begin)
    read = Reader(seen, grid, partial(first.apply, numbers=numbers * first.slices))
    from napari_segment.deep.inference.compute.stream_torch import stream

    pieces = options.in_memory and isinstance(put, _Direct)
    yield from stream(places, read, put, first=begin, precision=options.precision, pieces=pieces)
    return sink.result()


def _announced(
    network: Any, grid: Grid, checkpoint: Checkpoint, options: Options, gives: Sequence[Gives],
    begin: int,
) -> Step:  # fmt: skip
    """How many tiles there are, and how much memory they will take."""
    sizes = {"labels": 1, "probabilities": 4 * checkpoint.channels_out}
    values = sum(sizes.get(name, 4) for name in gives) if options.in_memory else 0
    memory = estimate(network, grid, checkpoint.channels_in, options.batch, values)
    count = sum(len(row.corners) for row in grid.rows(begin))
    again = f"going on with the last {count} of " if begin else ""
    return Step(0, count, f"{again}{len(grid)} tiles, {memory}")


def check(checkpoints: Sequence[Checkpoint], image: Any, spacing: Sequence[float]) -> None:
    """Say what does not fit before anything is computed."""
    first = checkpoints[0]
    channels, dimensions = int(image.shape[0]), len(image.shape) - 1
    if channels != len(first.channels):
        raise InputError(
            f"The network was trained on {len(first.channels)} channel(s) "
            f"({', '.join(first.channels)}), but the image has {channels}."
        )
    if dimensions < first.ndim:
        raise InputError(
            f"The network was trained on volumes, but the image is {dimensions}-D. Give a stack "
            "with a Z axis, and apply_to='auto'."
        )
    if spacing and len(spacing) != dimensions:
        raise InputError(f"The spacing {tuple(spacing)} does not fit {dimensions} spatial axes.")
    for other in checkpoints[1:]:
        if _task(other) != _task(first):
            raise InputError(
                f"{first.folder.name} and {other.folder.name} were not trained for the same task: "
                "their channels, classes or spacing differ."
            )


def _task(checkpoint: Checkpoint) -> tuple[Any, ...]:
    return (
        checkpoint.ndim, checkpoint.channels, checkpoint.channels_out, checkpoint.activation,
        checkpoint.holds, checkpoint.values, checkpoint.spacing, checkpoint.slices,
    )  # fmt: skip


# ---- the way in ----


def _window(region: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...]:
    """The part of an image that is predicted."""
    if not region:
        return tuple(slice(0, n) for n in shape)
    pairs = [(region[i], region[i + 1]) for i in range(0, len(region) - 1, 2)]
    fits = len(region) == 2 * len(shape) and all(
        0 <= a < b <= n for (a, b), n in zip(pairs, shape, strict=False)
    )
    if not fits:
        raise SettingError(
            f"The region {tuple(region)} does not fit an image of shape {tuple(shape)}. Give first "
            "and last (exclusive) voxel of each axis, such as 0,10,100,400,100,400."
        )
    return tuple(slice(a, b) for a, b in pairs)


def on_grid(checkpoint: Checkpoint, image: Any, spacing: Sequence[float]) -> Any:
    """The image as the network wants it: in its spacing, with neighbouring planes (2.5-D)."""
    if checkpoint.spacing and spacing:
        # A network may know the distance of planes (trained on stacks, plane by plane) or not.
        known = min(len(spacing), len(checkpoint.spacing))
        present, wanted = tuple(spacing)[-known:], checkpoint.spacing[-known:]
        whole = (*image.shape[1:-known], *resampled_shape(image.shape[-known:], present, wanted))
        if whole != tuple(image.shape[1:]):
            image = Resampled(image, whole)
    if checkpoint.slices > 1:
        image = image if len(image.shape) == 4 else np.asarray(image)[:, None]
        return Neighbours(image, checkpoint.slices)
    return image


# ---- the way out ----


def _decoder(checkpoint: Checkpoint, options: Options, gives: Sequence[Gives]) -> Decode:
    """All that is wanted of a slab, by name."""
    # The members of an ensemble tell more than its mean outputs, which come first.
    outputs = slice(0, checkpoint.channels_out) if "disagreement" in gives else slice(None)
    wanted: dict[str, Decode] = {}
    for name in gives:
        if name == "disagreement":
            memory = slice(checkpoint.channels_out, None)
            wanted[name] = decoders.Channels(decoders.Disagreement(checkpoint.activation), memory)
        else:
            wanted[name] = decoders.Channels(_decoder_of(checkpoint, options, name), outputs)
    return decoders.both(**wanted)


def _decoder_of(checkpoint: Checkpoint, options: Options, name: Gives) -> Decode:
    kind = checkpoint.activation
    if name == "probabilities":
        return decoders.probabilities(kind)
    if name == "entropy":
        return decoders.entropy(kind)
    several = kind == "sigmoid" and checkpoint.channels_out > 1
    if options.thresholds or several:
        index = decoders.above(options.thresholds or (0.5,), kind)
    else:
        index = decoders.argmax
    return Numbered(index, checkpoint.values)


@dataclass(frozen=True)
class Numbered:
    """Decode to class indices, then to the label numbers of the classes."""

    decode: Decode
    values: tuple[int, ...]

    def __call__(self, slab: decoders.Slab) -> NDArray[Any]:
        index = self.decode(slab)
        if not self.values or self.values == tuple(range(len(self.values))):
            return index
        return np.array(self.values, np.min_scalar_type(max(self.values)))[index]


def _decoded(grid: Grid, shape: Sequence[int], decode: Decode, sink: Any) -> Any:
    """What takes the slabs: decoded as they are, or first brought onto the image's own grid."""
    if tuple(shape) == grid.shape:
        return _Direct(decode, sink)
    return Regrid(grid, tuple(shape), decode, sink.write)


@dataclass
class _Direct:
    decode: Decode
    sink: Any

    def __call__(self, slab: decoders.Slab) -> None:
        self.sink.write(slab.where, self.decode(slab))

    def first(self, done: int) -> int:
        return done


def _sink(
    options: Options, shape: Sequence[int], window: tuple[slice, ...], grid: Grid,
    checkpoints: Sequence[Checkpoint], gives: Sequence[Gives], key: Mapping[str, Any],
) -> MultiWriter:  # fmt: skip
    if options.in_memory:
        return MultiWriter({name: InMemoryWriter(shape, window) for name in gives})
    folder = folder_of(Path(options.store), key, checkpoints)
    starts = grid.starts[grid.axis]
    step = starts[1] if len(starts) > 1 else grid.tile[grid.axis]
    stores = {
        name: Store(folder / name, {**key, "shape": list(shape)}, grid.axis) for name in gives
    }
    return MultiWriter({name: ZarrWriter(shape, window, one, step) for name, one in stores.items()})
