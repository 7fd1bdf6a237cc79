"""Preprocessing and postprocessing of BioImage.IO models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import is_lazy, map_blocks, reduce
from napari_segment.errors import FormatError
from napari_segment.exchange.bioimageio.package import Operation

Floats: TypeAlias = NDArray[np.float32]
Change: TypeAlias = Callable[[Floats], Floats]

_SAMPLE = 2**22  # voxels of a channel from which percentiles of lazy arrays are taken


def fitted(operations: Sequence[Operation], image: Array | None = None) -> Change:
    """Compose operations to one function of blocks, with statistics of the whole image.

    Parameters
    ----------
    operations : sequence of Operation
        In the order in which they run; each sees what the ones before it made.
    image : array (C, *S), optional
        NumPy or Dask; without it operations that need statistics are refused. Means and standard
        deviations are exact; percentiles of a Dask array are taken of about four million voxels
        on a regular grid.

    Returns
    -------
    callable
        From a block ``(C, *block)`` to a block, float32.

    Raises
    ------
    FormatError
        For an operation that is not known, or that needs an image.
    """
    if image is not None and is_lazy(image):
        image = image.rechunk({0: -1})
    changes: list[Change] = []
    for operation in operations:
        changes += _change(operation, _processed(tuple(changes), image))
    return partial(run, tuple(changes))


def _processed(changes: tuple[Change, ...], image: Array | None) -> Array | None:
    if image is None or not changes:
        return image
    return map_blocks(partial(run, changes), image, dtype=np.float32)


def run(changes: Sequence[Change], block: NDArray[Any]) -> Floats:
    """Apply functions to a block, one after the other."""
    values = np.asarray(block, np.float32)
    for change in changes:
        values = change(values)
    return values


def _change(operation: Operation, image: Array | None) -> list[Change]:
    make = _MAKERS.get(operation.name)
    if make is None:
        raise FormatError(
            f"The model asks for {operation.name!r}, which is not known here. Known: "
            f"{', '.join(sorted(_MAKERS))}."
        )
    change = make(image, operation.settings)
    return [change] if change else []


# ---- the operations, by BioImage.IO's names ----


def _nothing(image: Array | None, settings: Mapping[str, Any]) -> None:
    """Return nothing to do: types are float32 throughout."""


def _scale_linear(image: Array | None, settings: Mapping[str, Any]) -> Change:
    gain, offset = settings.get("gain", 1.0), settings.get("offset", 0.0)
    return partial(_linear, _column(gain, image), _column(offset, image))


def _standardise(image: Array | None, settings: Mapping[str, Any]) -> Change:
    eps = float(settings.get("eps", 1e-6))
    if settings.get("mode") == "fixed" or "mean" in settings:
        mean, std = np.asarray(settings["mean"], float), np.asarray(settings["std"], float)
    else:
        _need(image, "zero_mean_unit_variance")
        mean, std = _moments(image, joint=_with_channels(settings))
    return _affine(1 / (std + eps), -mean / (std + eps), image)


def _fixed(image: Array | None, settings: Mapping[str, Any]) -> Change:
    mean, std = np.asarray(settings["mean"], float), np.asarray(settings["std"], float)
    return _affine(1 / std, -mean / std, image)


def _scale_range(image: Array | None, settings: Mapping[str, Any]) -> Change:
    if settings.get("reference_tensor"):
        raise FormatError("The model scales by the range of another tensor, which is not known.")
    _need(image, "scale_range")
    ends = (settings.get("min_percentile", 0.0), settings.get("max_percentile", 100.0))
    channels = _samples(image)
    if _with_channels(settings):
        channels = [np.concatenate(channels)] * len(channels)
    low, high = np.array([np.percentile(c, [float(e) for e in ends]) for c in channels]).T
    width = high - low + float(settings.get("eps", 1e-6))
    return _affine(1 / width, -low / width, image)


def _clip(image: Array | None, settings: Mapping[str, Any]) -> Change:
    low, high = (_limit(image, settings, end) for end in ("min", "max"))
    return lambda block: np.clip(block, _fit(low, block), _fit(high, block))


def _limit(image: Array | None, settings: Mapping[str, Any], end: str) -> Floats:
    """Return a limit of `clip`: a number, or a percentile of all channels or of each."""
    share = settings.get(f"{end}_percentile")
    if share is None:
        value = settings.get(end)
        return _column((-np.inf if end == "min" else np.inf) if value is None else value, image)
    _need(image, "clip")
    channels = _samples(image)
    if _with_channels(settings):
        channels = [np.concatenate(channels)]
    return _column([np.percentile(c, float(share)) for c in channels], image)


def _binarize(image: Array | None, settings: Mapping[str, Any]) -> Change:
    threshold = _column(settings.get("threshold", 0.5), image)
    return lambda block: (block > _fit(threshold, block)).astype(np.float32)


def _sigmoid(image: Array | None, settings: Mapping[str, Any]) -> Change:  # noqa: ARG001
    return lambda block: (0.5 * (1 + np.tanh(0.5 * block))).astype(np.float32)


def _softmax(image: Array | None, settings: Mapping[str, Any]) -> Change:  # noqa: ARG001
    def change(block: Floats) -> Floats:
        powers = np.exp(block - block.max(axis=0, keepdims=True))
        return cast("Floats", powers / powers.sum(axis=0, keepdims=True))

    return change


_MAKERS: dict[str, Callable[[Array | None, Mapping[str, Any]], Change | None]] = {
    "ensure_dtype": _nothing,
    "scale_linear": _scale_linear,
    "zero_mean_unit_variance": _standardise,
    "fixed_zero_mean_unit_variance": _fixed,
    "scale_range": _scale_range,
    "clip": _clip,
    "binarize": _binarize,
    "sigmoid": _sigmoid,
    "softmax": _softmax,
}


# ---- numbers by channel ----


def _affine(gain: NDArray[np.float64], offset: NDArray[np.float64], image: Array | None) -> Change:
    return partial(_linear, _column(gain, image), _column(offset, image))


def _linear(gain: Floats, offset: Floats, block: Floats) -> Floats:
    return cast("Floats", block * _fit(gain, block) + _fit(offset, block))


def _column(values: ArrayLike, image: Array | None) -> Floats:
    """Return one number for all channels, or one for each."""
    column = np.asarray(values, np.float32).reshape(-1)
    channels = int(image.shape[0]) if image is not None else 0
    if column.size > 1 and channels and column.size != channels:
        raise FormatError(f"The model has {column.size} numbers for {channels} channels.")
    return column


def _fit(column: Floats, block: Floats) -> Floats:
    return column.reshape(-1, *[1] * (block.ndim - 1))


def _need(image: Array | None, name: str) -> None:
    if image is None:
        raise FormatError(f"The model's {name} needs its whole output, which tiles do not have.")


def _with_channels(settings: Mapping[str, Any]) -> bool:
    """Whether statistics are taken over all channels together."""
    axes = settings.get("axes")
    if axes is None:
        return True
    return "c" in axes if isinstance(axes, str) else "channel" in axes


def _moments(image: Array, *, joint: bool) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sums = reduce(image, _sums, lambda parts: np.sum(parts, axis=0))
    if joint:
        sums = sums.sum(axis=1, keepdims=True)
    count, total, squares = sums
    mean = total / count
    return mean, np.sqrt(np.maximum(squares / count - mean**2, 0))


def _sums(block: NDArray[Any]) -> NDArray[np.float64]:
    """Return count, sum and sum of squares of each channel (3, C)."""
    flat = block.reshape(len(block), -1).astype(np.float64)
    return np.stack([np.full(len(flat), flat.shape[1], float), flat.sum(1), (flat**2).sum(1)])


def _samples(image: Array) -> list[NDArray[Any]]:
    if not is_lazy(image):
        return [np.asarray(c).ravel() for c in image]
    voxels = int(np.prod(image.shape[1:]))
    step = max(int(np.ceil((voxels / _SAMPLE) ** (1 / (image.ndim - 1)))), 1)
    grid = image[(slice(None), *[slice(None, None, step)] * (image.ndim - 1))].compute()
    return [c.ravel() for c in grid]
