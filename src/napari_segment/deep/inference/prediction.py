"""Predict with checkpoints: normalisation, spacing, tiles, decoding and writing."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.data.resample import Neighbours, Resampled, resampled_shape
from napari_segment.deep.inference import decoding
from napari_segment.deep.inference.decoding import Decode
from napari_segment.deep.inference.memory_estimate import estimate
from napari_segment.deep.inference.networks.dask_cluster import workers_of_run
from napari_segment.deep.inference.networks.loading import load_network
from napari_segment.deep.inference.options import Options, OutputName
from napari_segment.deep.inference.tiling import Grid, Reader
from napari_segment.deep.inference.volume import plan_tiles
from napari_segment.deep.inference.writers.in_memory import InMemoryWriter, MultiWriter
from napari_segment.deep.inference.writers.regrid import Regrid
from napari_segment.deep.inference.writers.result_key import result_folder, result_key
from napari_segment.deep.inference.writers.zarr_store import Store, ZarrWriter
from napari_segment.errors import InputError, SettingError
from napari_segment.step import Step


def predict_with(
    checkpoints: Sequence[Checkpoint],
    image: Any,
    spacing: Sequence[float] = (),
    options: Options | None = None,
    output: OutputName = "labels",
) -> Generator[Step, None, Any]:
    """Predict an image of any size with a trained network, or with the mean of several.

    The parameters are those of `predict_several`, of which this gives one output.
    """
    results = yield from predict_several(checkpoints, image, spacing, options, (output,))
    return results[output]


def predict_several(
    checkpoints: Sequence[Checkpoint],
    image: Any,
    spacing: Sequence[float] = (),
    options: Options | None = None,
    outputs: Sequence[OutputName] = ("labels",),
) -> Generator[Step, None, dict[str, Any]]:
    """Predict several outputs of an image of any size in one run.

    The image is brought to the network's spacing and normalised as in training, tile by tile;
    the network's outputs are brought back onto the image's own voxels as probabilities, so that
    no class is invented between two others.

    Parameters
    ----------
    checkpoints : sequence of Checkpoint
        Of the same task.
    image : array (C, *S)
        NumPy, Dask or zarr.
    spacing : sequence of float
        Of the spatial axes, in the unit of the checkpoint; empty for the checkpoint's own.
    options : Options, optional
        The settings of the prediction.
    outputs : sequence of {"labels", "probabilities", "entropy", "disagreement"}
        Class numbers, probabilities ``(K, *S)``, entropy of the probabilities (0 to 1), or the
        mutual information between class and member of an ensemble (0 to 1).

    Yields
    ------
    Step
        While a large image is read for the key of stored results; then the memory it takes, and
        after every batch of tiles.

    Returns
    -------
    dict of str to array (*S) or (K, *S)
        By output. Lazy (Dask) where ``options.store`` holds them in folders, else NumPy.
    """
    options = options or Options()
    first = checkpoints[0]
    check_inputs(checkpoints, image, spacing)
    statistics = first.statistics(image)
    window = _window(options.region, image.shape[1:])
    part = image[(slice(None), *window)] if options.region else image
    resampled = to_training_grid(first, part, spacing)
    network = load_network(checkpoints, options, outputs)
    network, grid = plan_tiles(network, resampled, options.tile or first.patch, options.overlap)
    workers = workers_of_run(network, grid, checkpoints, options, outputs)
    key = {}
    if not options.in_memory:
        key = yield from result_key(checkpoints, image, spacing, options, outputs, grid)
    with _writer(options, image.shape[1:], window, grid, checkpoints, outputs, key) as writer:
        take = _slab_consumer(grid, part.shape[1:], _decoder(first, options, outputs), writer)
        begin = take.first_row(writer.done)
        yield _announcement(network, grid, first, options, outputs, begin)
        read = Reader(resampled, grid, partial(first.apply, numbers=statistics * first.slices))
        from napari_segment.deep.inference.compute.stream_torch import stream

        yield from stream(
            workers, read, take, first=begin, precision=options.precision,
            partial_slabs=options.in_memory and isinstance(take, _DecodeAndWrite),
        )  # fmt: skip
        return writer.result()


def _announcement(
    network: Any, grid: Grid, checkpoint: Checkpoint, options: Options,
    outputs: Sequence[OutputName], begin: int,
) -> Step:  # fmt: skip
    """Say how many tiles there are, and how much memory they will take."""
    sizes = {"labels": 1, "probabilities": 4 * checkpoint.channels_out}
    values = sum(sizes.get(name, 4) for name in outputs) if options.in_memory else 0
    memory = estimate(network, grid, checkpoint.channels_in, options.batch, values)
    count = sum(len(row.corners) for row in grid.rows(begin))
    resumed = f"going on with the last {count} of " if begin else ""
    return Step(0, count, f"{resumed}{len(grid)} tiles, {memory}")


def check_inputs(checkpoints: Sequence[Checkpoint], image: Any, spacing: Sequence[float]) -> None:
    """Raise an error if the image or the checkpoints do not fit, before anything is computed."""
    first = checkpoints[0]
    channels, dimensions = int(image.shape[0]), len(image.shape) - 1
    if channels != len(first.channels):
        raise InputError(
            f"The network was trained on {len(first.channels)} channel(s) "
            f"({', '.join(first.channels)}), but the image has {channels}. Choose as many with "
            "the filter 'channels'."
        )
    if dimensions < first.ndim:
        raise InputError(
            f"The network was trained on volumes, but the image is {dimensions}-D. Give a stack "
            "with a Z axis, and apply_to='auto'."
        )
    if spacing and len(spacing) != dimensions:
        raise InputError(
            f"The spacing {tuple(spacing)} has {len(spacing)} number(s), but the image has "
            f"{dimensions} spatial axes. Give one number for each."
        )
    for other in checkpoints[1:]:
        if _task(other) != _task(first):
            raise InputError(
                f"{first.folder.name} and {other.folder.name} were not trained for the same task: "
                "their channels, classes or spacing differ. Average networks of one task only."
            )


def _task(checkpoint: Checkpoint) -> tuple[Any, ...]:
    return (
        checkpoint.ndim, checkpoint.channels, checkpoint.channels_out, checkpoint.activation,
        checkpoint.holds, checkpoint.values, checkpoint.spacing, checkpoint.slices,
    )  # fmt: skip


# ---- input ----


def _window(region: Sequence[int], shape: Sequence[int]) -> tuple[slice, ...]:
    """Return the part of an image that is predicted."""
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


def to_training_grid(checkpoint: Checkpoint, image: Any, spacing: Sequence[float]) -> Any:
    """Return a view of the image in the network's spacing, with neighbouring planes (2.5-D)."""
    if checkpoint.spacing and spacing:
        # A network may know the distance of planes (trained on stacks, plane by plane) or not.
        known = min(len(spacing), len(checkpoint.spacing))
        given, wanted = tuple(spacing)[-known:], checkpoint.spacing[-known:]
        shape = (*image.shape[1:-known], *resampled_shape(image.shape[-known:], given, wanted))
        if shape != tuple(image.shape[1:]):
            image = Resampled(image, shape)
    if checkpoint.slices > 1:
        image = image if len(image.shape) == 4 else np.asarray(image)[:, None]
        return Neighbours(image, checkpoint.slices)
    return image


# ---- output ----


def _decoder(checkpoint: Checkpoint, options: Options, outputs: Sequence[OutputName]) -> Decode:
    """Return the decoder of a slab to all requested outputs by name."""
    # Statistics of an ensemble's members follow its mean outputs.
    mean = slice(0, checkpoint.channels_out) if "disagreement" in outputs else slice(None)
    decoders: dict[str, Decode] = {}
    for name in outputs:
        if name == "disagreement":
            statistics = slice(checkpoint.channels_out, None)
            disagreement = decoding.Disagreement(checkpoint.activation)
            decoders[name] = decoding.Channels(disagreement, statistics)
        else:
            decoders[name] = decoding.Channels(_mean_decoder(checkpoint, options, name), mean)
    return decoding.combined(**decoders)


def _mean_decoder(checkpoint: Checkpoint, options: Options, name: OutputName) -> Decode:
    activation = checkpoint.activation
    if name == "probabilities":
        return decoding.probabilities(activation)
    if name == "entropy":
        return decoding.entropy(activation)
    multi_label = activation == "sigmoid" and checkpoint.channels_out > 1
    if options.thresholds or multi_label:
        classes = decoding.thresholded(options.thresholds or (0.5,), activation)
    else:
        classes = decoding.argmax
    return LabelNumbers(classes, checkpoint.values)


@dataclass(frozen=True)
class LabelNumbers:
    """Decode to class indices, then to the label numbers of the classes."""

    decode: Decode
    values: tuple[int, ...]

    def __call__(self, slab: decoding.Slab) -> NDArray[Any]:
        index = self.decode(slab)
        if not self.values or self.values == tuple(range(len(self.values))):
            return index
        return np.array(self.values, np.min_scalar_type(max(self.values)))[index]


def _slab_consumer(
    grid: Grid, shape: Sequence[int], decode: Decode, writer: MultiWriter
) -> _DecodeAndWrite | Regrid:
    """Return what takes the slabs: decoded as they are, or first brought onto the image's grid."""
    if tuple(shape) == grid.shape:
        return _DecodeAndWrite(decode, writer)
    return Regrid(grid, tuple(shape), decode, writer.write)


@dataclass
class _DecodeAndWrite:
    """Decode slabs that lie on the image's own grid, and write them."""

    decode: Decode
    writer: MultiWriter

    def __call__(self, slab: decoding.Slab) -> None:
        self.writer.write(slab.where, self.decode(slab))

    def first_row(self, done: int) -> int:
        """Return the first row that is needed when `done` rows are written."""
        return done


@contextmanager
def _writer(
    options: Options, shape: Sequence[int], window: tuple[slice, ...], grid: Grid,
    checkpoints: Sequence[Checkpoint], outputs: Sequence[OutputName], key: Mapping[str, Any],
) -> Iterator[MultiWriter]:  # fmt: skip
    """The writer of all outputs: into memory, or into the folder of the key, which is held."""
    if options.in_memory:
        yield MultiWriter({name: InMemoryWriter(shape, window) for name in outputs})
        return
    starts = grid.starts[grid.axis]
    step = starts[1] if len(starts) > 1 else grid.tile[grid.axis]
    job = {**key, "shape": list(shape)}
    with result_folder(Path(options.store), key, [c.folder for c in checkpoints]) as folder:
        stores = {name: Store(folder / name, job, grid.axis) for name in outputs}
        yield MultiWriter(
            {name: ZarrWriter(shape, window, one, step) for name, one in stores.items()}
        )
