"""The method `classifier`: a trained pixel classifier is a method as any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import is_lazy, map_blocks
from napari_segment.blocks.memory import free_memory
from napari_segment.classical.classifier.card import label_of
from napari_segment.classical.classifier.features import for_rows
from napari_segment.classical.classifier.forest import Forest
from napari_segment.classical.classifier.model import PixelClassifier
from napari_segment.classical.grid import checked
from napari_segment.errors import InputError, SettingError
from napari_segment.image import Spacing
from napari_segment.registry import Result, methods

Map = Literal["probabilities", "entropy"]
_SHARE = 4  # of the free memory that smoothed images may take


@methods.add("classifier", title="Pixel classifier", group="classifier", channels="many")
def classifier(
    image: Array,
    spacing: Spacing = (),
    unit: str = "",
    *,
    checkpoint: Annotated[
        Path, Field(description="Folder of the classifier, as its training wrote it.")
    ],
    maps: Annotated[
        tuple[Map, ...],
        Field(description="Maps to give besides the labels, as float32: the probability of every "
              "class, and how unsure the classifier is (entropy, 0 to 1)."),
    ] = (),
) -> Result:  # fmt: skip
    """Classify every voxel with a trained pixel classifier.

    Features at several scales are computed as in training, in the unit of its scales, and a random
    forest gives each voxel its most probable class.

    Parameters
    ----------
    image : array (C, *S)
        All channels, as many as it was trained on; NumPy or Dask.
    unit : str
        Of the spacing.

    Returns
    -------
    Result
        Class numbers (*S), with the class names, and the maps that were asked for.

    Examples
    --------
    >>> from napari_segment import segment
    >>> labels = segment(image, "classifier", checkpoint="strokes")  # doctest: +SKIP
    """
    if checkpoint == Path():
        raise SettingError(
            "'classifier' needs a checkpoint: give the folder that 'train_classifier' wrote."
        )
    model = PixelClassifier.load(checkpoint)
    _check(model, image)
    steps = model.spacing_in_unit(checked(image[0], spacing), unit, image.ndim - 1)
    predict = _Predict(model, model.forest(), steps)
    channels = tuple(map(model.name_of, model.classes))
    labels, charts = (_lazily if is_lazy(image) else _in_memory)(predict, image, maps)
    names = {n: name for n, name in model.names.items() if n != model.background}
    order = sorted(range(len(model.values)), key=lambda i: model.values[i])
    if "probabilities" in charts:
        charts["probabilities"] = charts["probabilities"][order]
    values = tuple(sorted({0, *model.values})) if 0 not in model.values else model.values
    return Result(
        labels, "classes", names, tuple(sorted(values)), maps=charts,
        channels=tuple(channels[i] for i in order),
    )  # fmt: skip


@dataclass(frozen=True)
class _Predict:
    """Class probabilities of a block; picklable, for the workers of a cluster."""

    model: PixelClassifier
    forest: Forest
    spacing: tuple[float, ...]

    @property
    def halo(self) -> tuple[int, ...]:
        return self.model.feature_set.reach(self.spacing)

    def __call__(self, channels: NDArray[Any]) -> NDArray[np.float32]:
        """Probabilities (K, *S) of channels (C, *S) in memory."""
        out = np.empty((int(np.prod(channels.shape[1:])), self.forest.classes), np.float32)

        def use(start: int, stop: int, table: NDArray[np.float32]) -> None:
            out[start:stop] = self.forest.probabilities(table)

        for_rows(channels, self.spacing, self.model.feature_set, use)
        shape = (*channels.shape[1:], self.forest.classes)
        return np.moveaxis(out.reshape(shape), -1, 0)

    def labels(self, *channels: NDArray[Any]) -> NDArray[Any]:
        return label_of(self(np.stack(channels)).argmax(0), self.model.values)

    def probability(self, *channels: NDArray[Any], index: int) -> NDArray[np.float32]:
        probability: NDArray[np.float32] = self(np.stack(channels))[index]
        return probability

    def entropy(self, *channels: NDArray[Any]) -> NDArray[np.float32]:
        return _entropy(self(np.stack(channels)))


def _entropy(probabilities: NDArray[np.float32]) -> NDArray[np.float32]:
    """Entropy over the classes, 1 where all are as probable."""
    logs = np.log(np.maximum(probabilities, 1e-12))
    entropy: NDArray[np.float32] = -(probabilities * logs).sum(0) / np.log(len(probabilities))
    return np.clip(entropy, 0, 1).astype(np.float32)


def _lazily(predict: _Predict, image: Array, maps: Sequence[Map]) -> tuple[Any, dict[str, Any]]:
    """Labels and maps as Dask arrays, each computed for itself."""
    import dask.array as da

    channels, halo = list(image), predict.halo
    dtype = label_of(np.zeros(1, np.intp), predict.model.values).dtype
    charts: dict[str, Any] = {}
    if "probabilities" in maps:
        parts = [partial(predict.probability, index=k) for k in range(predict.forest.classes)]
        charts["probabilities"] = da.stack(
            [map_blocks(part, *channels, dtype=np.float32, halo=halo) for part in parts]
        )
    if "entropy" in maps:
        charts["entropy"] = map_blocks(predict.entropy, *channels, dtype=np.float32, halo=halo)
    return map_blocks(predict.labels, *channels, dtype=dtype, halo=halo), charts


def _in_memory(
    predict: _Predict, image: NDArray[Any], maps: Sequence[Map]
) -> tuple[NDArray[Any], dict[str, Any]]:
    """Labels and maps of an array, slab by slab where the smoothed images would be too large."""
    shape, classes = image.shape[1:], predict.forest.classes
    labels = np.empty(shape, label_of(np.zeros(1, np.intp), predict.model.values).dtype)
    charts: dict[str, Any] = {}
    if "probabilities" in maps:
        charts["probabilities"] = np.empty((classes, *shape), np.float32)
    if "entropy" in maps:
        charts["entropy"] = np.empty(shape, np.float32)
    axis, thickness = _slabs(predict, image)
    lead = (slice(None),) * axis
    reach = predict.halo[axis]
    for start in range(0, shape[axis], thickness):
        stop = min(start + thickness, shape[axis])
        low, high = max(start - reach, 0), min(stop + reach, shape[axis])
        probabilities = predict(image[(slice(None), *lead, slice(low, high))])
        probabilities = probabilities[(slice(None), *lead, slice(start - low, stop - low))]
        where = (*lead, slice(start, stop))
        labels[where] = label_of(probabilities.argmax(0), predict.model.values)
        if "probabilities" in charts:
            charts["probabilities"][(slice(None), *where)] = probabilities
        if "entropy" in charts:
            charts["entropy"][where] = _entropy(probabilities)
    return labels, charts


def _slabs(predict: _Predict, image: NDArray[Any]) -> tuple[int, int]:
    """The axis to cut along, and how thick slabs may be."""
    shape = image.shape[1:]
    held = predict.model.feature_set.volumes(image.ndim - 1)
    each = 4 * (len(image) * (len(predict.model.scales) * held + 1) + 2 * predict.forest.classes)
    most = max(free_memory() // _SHARE, 2**28) // each  # voxels
    axis = int(np.argmax([n / (h + 1) for n, h in zip(shape, predict.halo, strict=True)][:-1]))
    row = int(np.prod(shape)) // max(shape[axis], 1)
    fits = int(most // max(row, 1)) - 2 * predict.halo[axis]
    return axis, max(shape[axis] if int(np.prod(shape)) <= most else fits, 1)


def _check(model: PixelClassifier, image: Array) -> None:
    if len(image) != len(model.channels):
        raise InputError(
            f"The classifier was trained on {len(model.channels)} channel(s) "
            f"({', '.join(model.channels)}), but the image has {len(image)}."
        )
    if image.ndim - 1 != model.ndim:
        raise InputError(
            f"The classifier was trained on {model.ndim}-D images, but this one is "
            f"{image.ndim - 1}-D. Segment stacks plane by plane with apply_to='plane' where it was "
            "trained on planes."
        )
