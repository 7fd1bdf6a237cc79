"""The method `network`: segmentation with a checkpoint."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.device import PredictionPrecision, ResultStore, TileBatch
from napari_segment.deep.inference.differences import differences, order_of_channels
from napari_segment.deep.inference.options import ImagePart, Options, OutputName, Overlap
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.errors import SettingError
from napari_segment.image import Turn, turn_between
from napari_segment.image.units import length_factor
from napari_segment.io.models_folder import located
from napari_segment.registry import Result, methods
from napari_segment.step import Step

Fraction = Annotated[float, Field(gt=0, lt=1)]
_Number = TypeVar("_Number", int, float)
Map = Literal["probabilities", "entropy", "disagreement"]


@methods.add("network", title="Trained network", group="network", channels="many")
def network(  # noqa: PLR0913 - settings, each with a name
    image: Array,
    spacing: Sequence[float] = (),
    unit: str = "",
    orientation: str = "",
    channel_names: Sequence[str] = (),
    *,
    checkpoint: Path,
    ensemble: tuple[Path, ...] = (),
    device: str = "auto",
    tile: tuple[Annotated[int, Field(ge=1)], ...] | Literal["auto"] = "auto",
    overlap: Overlap = 0.25,
    batch: TileBatch = 1,
    precision: PredictionPrecision = "auto",
    test_time_augmentation: bool = False,
    thresholds: tuple[Fraction, ...] | Literal["auto"] = "auto",
    region: ImagePart | Literal["auto"] = "auto",
    backend: Literal["torch", "onnx"] = "torch",
    store: ResultStore = "none",
    maps: tuple[Map, ...] = (),
    stack: Literal["planes", "volume"] = "planes",
) -> Generator[Step, None, Result]:
    """Segment with a trained network, in overlapping tiles.

    The image is normalised as in training, brought to the spacing of the training images, cut
    into overlapping tiles (mirrored where it is smaller), and the network's outputs are blended
    with Gaussian weights. Results are finished slab by slab, so that an image may be larger than
    the memory. A 2-D network segments a stack plane by plane. Where memory runs out, the run goes
    on with less at once, and says so.

    Parameters
    ----------
    image : array (C, *S) or (*S)
        All channels of the image, as many as the network was trained on.
    spacing : sequence of float
        Distance between voxels along each spatial axis.
    unit : str
        Unit of the spacing. Where the spacing of the image or of the network is in pixels, the
        image is not resampled; a Step and a warning say so.
    orientation : str
        Anatomical direction of each spatial axis, such as "SAR". An image whose orientation differs
        from that of the training images is turned to it, and its labels are turned back.
    channel_names : sequence of str
        Names of the channels, as far as they are known; those of the training images in another
        order are said.
    checkpoint : Path
        Folder of the trained network, or the name of a model of this machine.
    ensemble : tuple of Path
        Further networks of the same task, such as those of other folds. Their outputs are
        averaged.
    device : str
        "auto" (the first accelerator, else the CPU), "cpu", "cuda", "cuda:1", "mps" or "xpu".
        Several, such as "cuda:0,cuda:1", share the tiles. With a Dask client its workers compute
        the tiles, each on its own device.
    tile : tuple of int or "auto"
        Size of the tiles in voxels; "auto" takes the size of the training patches.
    test_time_augmentation : bool
        Average over all mirror images of each tile (4 times the work in 2-D, 8 times in 3-D).
    thresholds : tuple of float or "auto"
        Probability that each class must reach, in the order of the classes, or one for all. Of
        several classes above theirs the one with the largest excess wins. "auto" takes the most
        probable class.
    backend : {"torch", "onnx"}
        Library that runs the network. ONNX Runtime (an optional package) is often faster on CPUs.
    maps : tuple of {"probabilities", "entropy", "disagreement"}
        Maps to return in addition to the labels, as float32: the probability of every
        class, their entropy (0 certain, 1 uniform), the disagreement of the members of an
        ensemble (mutual information, 0 to 1).
    stack : {"planes", "volume"}
        Whether the objects of a 2-D network in a stack are separated plane by plane, to be joined
        by a cleanup such as `link_planes`, or in the volume of its stacked maps.

    Returns
    -------
    Result
        Labels ``(*S)``: a mask, classes or objects, as trained; the requested maps; with a
        detector the class, score and box of each object as features.

    Examples
    --------
    >>> from napari_segment import segment
    >>> labels = segment(image, "network", checkpoint="runs/nuclei")  # doctest: +SKIP
    """
    options = Options(
        device, _values(tile), overlap, batch, precision, test_time_augmentation,
        _values(thresholds), _values(region), backend, Path() if store == "none" else store,
    )  # fmt: skip
    checkpoints = _load(checkpoint, ensemble)
    first = checkpoints[0]
    image = _with_channels(image, spacing, first)
    for sentence in order_of_channels(first, channel_names):
        yield _said(sentence)
    turn = _turn_to(first, orientation)
    if turn is None:
        return (yield from _segmented(checkpoints, image, spacing, unit, options, maps, stack))
    shape = tuple(image.shape[1:])
    options = replace(options, region=_turned_region(options.region, shape, turn))
    result = yield from _segmented(
        checkpoints, turn.apply(image), turn.permute(tuple(spacing)), unit, options, maps, stack
    )
    return _turned_back(result, turn, turn.permute(shape))


def _values(sizes: tuple[_Number, ...] | Literal["auto"]) -> tuple[_Number, ...]:
    """Return the values that were given; none for "auto"."""
    return () if sizes == "auto" else sizes


def _segmented(
    checkpoints: list[Checkpoint],
    image: Array,
    spacing: Sequence[float],
    unit: str,
    options: Options,
    maps: Sequence[Map],
    stack: Literal["planes", "volume"],
) -> Generator[Step, None, Result]:
    """Segment an image that has the orientation of the training images."""
    first = checkpoints[0]
    known_spacing = _in_unit(spacing, unit, first.unit)
    if len(known_spacing) < len(spacing) and first.spacing:
        yield _said(_not_resampled(unit, first))
    for sentence in differences(first, image, known_spacing):
        yield _said(sentence)
    if first.objects is not None and first.objects.target == "instances":
        return (yield from _instances(checkpoints, image, known_spacing, options, maps))
    if stack == "volume" and first.objects is not None and first.objects.target == "flow":
        raise SettingError(
            "stack='volume' does not fit a 2-D network that predicts flow, which leads to the "
            "centres of objects within planes: give stack='planes' and the cleanup "
            "'link_planes'."
        )
    return (yield from _predicted(checkpoints, image, known_spacing, options, maps, stack))


# ---- orientation ----


def _turn_to(checkpoint: Checkpoint, orientation: str) -> Turn | None:
    """Return the turn from an image's orientation to the network's; None for the identity."""
    if not orientation or not checkpoint.orientation:
        return None
    turn = turn_between(orientation, checkpoint.orientation)
    return None if turn is None or turn.is_identity else turn


def _turned_region(region: tuple[int, ...], shape: tuple[int, ...], turn: Turn) -> tuple[int, ...]:
    """Return the first and last voxel along each axis of the turned image."""
    if len(region) != 2 * len(shape):
        return region  # refused where it is used, in the user's own numbers
    ends = [(region[2 * axis], region[2 * axis + 1]) for axis in turn.order]
    turned = [
        (shape[axis] - stop, shape[axis] - start) if backward else (start, stop)
        for axis, backward, (start, stop) in zip(turn.order, turn.reverse, ends, strict=True)
    ]
    return tuple(end for pair in turned for end in pair)


def _turned_back(result: Result, turn: Turn, shape: tuple[int, ...]) -> Result:
    """Turn a result back to the grid of the given image: labels, maps and boxes."""
    back = turn.inverse()
    maps = {name: back.apply(array) for name, array in (result.maps or {}).items()}
    features = back.boxes(dict(result.features or {}), shape, "ZYX"[-len(shape) :])
    return replace(result, array=back.apply(result.array), maps=maps, features=features)


def _predicted(
    checkpoints: list[Checkpoint],
    image: Array,
    spacing: Sequence[float],
    options: Options,
    maps: Sequence[Map],
    stack: Literal["planes", "volume"],
) -> Generator[Step, None, Result]:
    from napari_segment.deep.inference.prediction import predict_several

    first = checkpoints[0]
    main: OutputName = "labels" if first.objects is None else "probabilities"
    outputs = list(dict.fromkeys((main, *maps)))
    results = yield from predict_several(checkpoints, image, spacing, options, outputs)
    arrays = _maps(results, maps)
    if first.objects is not None:
        from napari_segment.deep.data.targets import decode, decode_planes

        yield Step(0, 0, "Separating the objects")
        by_plane = first.ndim == 2 and results[main].ndim == 4 and stack == "planes"
        probabilities = np.asarray(results[main])
        labels = (decode_planes if by_plane else decode)(probabilities, first.objects)
        channels = ("foreground", *_object_channels(first))
        return Result(labels, "objects", first.names, maps=arrays, channels=channels)
    labels = results["labels"]
    if first.holds == "mask":
        labels = labels != 0
    values = (0, 1) if first.holds == "mask" else first.values
    return Result(
        labels, first.holds, first.names, values, maps=arrays, channels=_class_names(first, values)
    )


def _instances(
    checkpoints: list[Checkpoint],
    image: Array,
    spacing: Sequence[float],
    options: Options,
    maps: Sequence[Map],
) -> Generator[Step, None, Result]:
    """Segment with a detector."""
    from napari_segment.deep.detection.detect import detect_in_image

    _check_detector_settings(checkpoints, options, maps)
    (first,) = checkpoints
    objects = first.objects or Objects(target="instances")
    labels, features = yield from detect_in_image(first, objects, image, options, spacing)
    return Result(labels, "objects", first.names, features=features)


def _check_detector_settings(
    checkpoints: Sequence[Checkpoint], options: Options, maps: Sequence[Map]
) -> None:
    """Raise an error for a setting that detectors do not support."""
    if len(checkpoints) > 1:
        raise SettingError("Detectors cannot be averaged: give one checkpoint, no ensemble.")
    if maps:
        raise SettingError(
            f"A detector gives no map of {maps[0]}; the score of each object is one of the labels' "
            "features. Leave 'maps' empty."
        )
    unsupported = {
        "store": ("none", not options.in_memory),
        "region": ("auto", bool(options.region)),
        "test_time_augmentation": ("off", options.test_time_augmentation),
        "backend": ("torch", options.backend != "torch"),
    }
    for name, (default, is_given) in unsupported.items():
        if is_given:
            raise SettingError(
                f"{checkpoints[0].folder.name} is a detector, for which {name!r} is not supported: "
                f"leave it at {default!r}."
            )


def _load(checkpoint: Path, ensemble: tuple[Path, ...]) -> list[Checkpoint]:
    if checkpoint == Path():
        raise SettingError(
            "'network' needs a checkpoint: give the folder that training wrote, or the name of a "
            "model of this machine."
        )
    return [Checkpoint.load(located(folder)) for folder in (checkpoint, *ensemble)]


def _object_channels(checkpoint: Checkpoint) -> list[str]:
    """Return the names of the outputs of a network of objects after the foreground."""
    assert checkpoint.objects is not None
    target = checkpoint.objects.target
    axes = "zyx"[-checkpoint.ndim :]
    return [f"flow {axis}" for axis in axes] if target == "flow" else [target]


def _maps(results: Mapping[str, Any], names: Sequence[Map]) -> dict[str, Any]:
    """Return the requested maps; a single channel has no axis."""
    maps: dict[str, Any] = {name: results[name] for name in names}
    if len(maps.get("probabilities", ())) == 1:
        maps["probabilities"] = maps["probabilities"][0]
    return maps


def _class_names(checkpoint: Checkpoint, values: tuple[int, ...]) -> tuple[str, ...]:
    """Return the name of each output channel."""
    classes = values[-checkpoint.channels_out :]  # multi-label outputs have no background
    names = {0: "background", **checkpoint.names}
    return tuple(names.get(value, f"class {value}") for value in classes)


def _in_unit(spacing: Sequence[float], unit: str, wanted: str) -> Sequence[float]:
    """Return the spacing in the network's unit; none where one of the units is the pixel."""
    if not unit or unit == wanted:
        return spacing
    factor = length_factor(unit, wanted)
    return () if factor is None else tuple(s * factor for s in spacing)


def _not_resampled(unit: str, checkpoint: Checkpoint) -> str:
    """Say that the spacings cannot be compared."""
    sides = "×".join(f"{s:.4g}" for s in checkpoint.spacing)
    return (
        f"The image is not resampled: its spacing is in {unit}, that of the "
        f"network ({sides}) in {checkpoint.unit}. Give the image its spacing and unit if its "
        "voxels differ in size from those of the training."
    )


def _said(message: str) -> Step:
    """Say something in a Step, and as a warning once per process."""
    _warn_once(message)
    return Step(0, 0, message)


@lru_cache
def _warn_once(message: str) -> None:
    warnings.warn(message, stacklevel=2)


def _with_channels(image: Array, spacing: Sequence[float], first: Checkpoint) -> Array:
    """Add a channel axis where the image has none; the spacing has one number per spatial axis."""
    dimensions = len(spacing) or first.ndim
    return image[None] if len(image.shape) == dimensions else image
