"""Detect objects in images of any size with a trained detector."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Required, TypedDict, Unpack, cast

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array, Sliceable
from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.detection.merging import DetectedObjects, Detection, merge_detections
from napari_segment.deep.device import Precision
from napari_segment.deep.inference.dask_workers import worker_addresses
from napari_segment.deep.inference.options import Options
from napari_segment.deep.inference.prediction import check_inputs, to_training_grid
from napari_segment.deep.inference.tiling import Grid, Prepare, Reader, as_float
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.image import smallest_integers
from napari_segment.step import Step

if TYPE_CHECKING:
    from napari_segment.deep.detection.mask_rcnn_torch import Detector
    from napari_segment.deep.detection.tiles_torch import Detectors


@dataclass(frozen=True)
class Limits:
    """Thresholds of a detection.

    Parameters
    ----------
    score : float
        Smallest score.
    mask : float
        Smallest probability of a pixel of an object.
    overlap : float
        Largest intersection of two objects, as a fraction of the smaller one.
    min_size : int
        Smallest size in pixels.
    """

    score: float = 0.5
    mask: float = 0.5
    overlap: float = 0.5
    min_size: int = 0


class DetectionSettings(TypedDict, total=False):
    """Settings of `detect`, but for the thresholds."""

    tile: Required[Sequence[int]]
    overlap: float
    device: str
    precision: Precision
    prepare: Prepare


def detect(  # noqa: PLR0913 - settings, each with a name
    network: Detector | Detectors,
    image: Sliceable,
    *,
    tile: Sequence[int],
    overlap: float = 0.25,
    device: str = "cpu",
    precision: Precision = "auto",
    min_score: float = 0.05,
    mask_threshold: float = 0.5,
    prepare: Prepare = as_float,
) -> Generator[Step, None, list[Detection]]:
    """Detect the objects in every tile of an image.

    Parameters
    ----------
    network : Detector or Detectors
        In eval mode; `Detectors` have their devices already.
    image : array (C, Y, X)
        NumPy, Dask or zarr.
    tile : sequence of int
        Size of the tiles. With an overlap larger than the objects each is whole in one tile.
    overlap : float
        Fraction of a tile shared with its neighbour.
    device : str
        See `napari_segment.deep.device.resolve`. Several, separated by commas, share the tiles.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Number type of the computation; "auto" is float32 on the CPU, mixed elsewhere.
    min_score : float
        Smallest score.
    mask_threshold : float
        Smallest probability of a pixel of an object.
    prepare : callable
        Normalises a block.

    Yields
    ------
    Step
        After every tile.

    Returns
    -------
    list of Detection
        Input of `merge_detections`: an object may be in several tiles.
    """
    from napari_segment.deep.detection.tiles_torch import Detectors

    if not isinstance(network, Detectors):
        network = Detectors(network, _devices(device), precision)
    shape = tuple(int(n) for n in image.shape[1:])
    grid = Grid(shape, tuple(int(t) for t in tile), overlap)
    read = Reader(image, grid, prepare)
    network.set_min_score(min_score)
    corners = [corner for row in grid.rows() for corner in row.corners]
    detections: list[Detection] = []
    for done in range(0, len(corners), len(network)):
        batch = corners[done : done + len(network)]
        outputs = yield from network([read(corner) for corner in batch], (done, len(corners)))
        for corner, one in zip(batch, outputs, strict=True):
            first = tuple(c - p for c, p in zip(corner, grid.padding, strict=True))
            detections += _detections_of_tile(one, first, grid, min_score, mask_threshold)
        yield Step(done + len(batch), len(corners))
    return detections


def _devices(names: str) -> list[str]:
    from napari_segment.deep.device import resolve

    return [str(resolve(n.strip())) for n in names.split(",") if n.strip()] or [
        str(resolve("auto"))
    ]


def detect_merged(
    network: Detector | Detectors,
    image: Sliceable,
    limits: Limits,
    **settings: Unpack[DetectionSettings],
) -> Generator[Step, None, DetectedObjects]:
    """Detect the objects of an image ``(C, Y, X)``, each once; settings as of `detect`."""
    detections = yield from detect(
        network, image, mask_threshold=limits.mask, min_score=limits.score, **settings
    )
    shape = (int(image.shape[1]), int(image.shape[2]))
    large = [d for d in detections if d.mask.sum() >= limits.min_size]
    return merge_detections(large, shape, score=limits.score, overlap=limits.overlap)


def detect_in_image(
    checkpoint: Checkpoint,
    objects: Objects,
    image: Array,
    options: Options,
    spacing: Sequence[float] = (),
) -> Generator[Step, None, tuple[NDArray[Any], dict[str, NDArray[Any]]]]:
    """Detect the objects of an image, numbered through the planes of a stack.

    Parameters
    ----------
    checkpoint : Checkpoint
        A trained detector.
    objects : Objects
        Its thresholds.
    image : array (C, Y, X) or (C, Z, Y, X)
        Not normalised.
    options : Options
        Of the method `network`: device, tile, overlap, precision and thresholds (the score).
    spacing : sequence of float
        Of the spatial axes, in the unit of the checkpoint. Planes are brought to the spacing of
        the training, and labels and boxes back; empty to take them as they are.

    Returns
    -------
    labels : ndarray (Y, X) or (Z, Y, X)
        Objects from 1 on.
    features : dict of str to array (N,)
        Of each object: ``label``, ``class`` (where the classes have names), ``score``, and its
        box in voxels (``bbox_y_start``, ``bbox_y_stop``, …; the last exclusive).
    """
    check_inputs([checkpoint], image, spacing)
    numbers = checkpoint.statistics(image)
    shape = (int(image.shape[-2]), int(image.shape[-1]))
    resampled: Sliceable = to_training_grid(checkpoint, image, spacing)
    from napari_segment.deep.detection.tiles_torch import Detectors
    from napari_segment.deep.inference.compute.forward_torch import precision_message

    network = Detectors(
        cast("Detector", checkpoint.network()),
        _devices(options.device),
        options.precision,
        movable=True,
    )
    if message := precision_message(network.devices, options.precision):
        yield Step(0, 0, message)
    if worker_addresses():
        yield Step(0, 0, "Detectors are computed here, not by the workers of the Dask cluster.")
    score = options.thresholds[0] if options.thresholds else objects.seed
    limits = Limits(score, objects.foreground, min_size=objects.size)
    settings: DetectionSettings = {
        "tile": options.tile or checkpoint.patch, "overlap": options.overlap,
        "prepare": partial(checkpoint.apply, numbers=numbers),
    }  # fmt: skip
    single = len(resampled.shape) == 3
    planes = [resampled] if single else _planes(resampled)
    drawn: list[NDArray[Any]] = []
    tables: list[dict[str, NDArray[Any]]] = []
    last = 0
    for z, plane in enumerate(planes):
        detected = yield from detect_merged(network, plane, limits, **settings)
        detected = _on_shape(detected, shape)
        drawn.append(np.where(detected.labels > 0, detected.labels + np.uint32(last), np.uint32(0)))
        tables.append(_features(detected, last, checkpoint.names, None if single else z))
        last += len(detected.scores)
        yield Step(z + 1, 1 if single else int(resampled.shape[1]), f"plane {z}")
    labels = drawn[0] if single else np.stack(drawn)
    features = {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}
    return labels.astype(smallest_integers(last)), features


def _features(
    objects: DetectedObjects, last: int, names: Mapping[int, str], z: int | None
) -> dict[str, NDArray[Any]]:
    """Return the features of the objects of one plane, which are numbered from `last` + 1."""
    count = len(objects.scores)
    columns: dict[str, NDArray[Any]] = {"label": last + np.arange(1, count + 1)}
    if names:
        columns["class"] = np.array([names.get(int(k), f"class {k}") for k in objects.classes], str)
    columns["score"] = objects.scores
    if z is not None:
        columns["bbox_z_start"] = np.full(count, z)
        columns["bbox_z_stop"] = np.full(count, z + 1)
    for i, name in enumerate(("y_start", "x_start", "y_stop", "x_stop")):
        columns[f"bbox_{name}"] = objects.boxes[:, i]
    return columns


def _planes(image: Sliceable) -> Iterator[NDArray[Any]]:
    return (
        np.asarray(image[(slice(None), slice(z, z + 1))])[:, 0] for z in range(int(image.shape[1]))
    )


def _on_shape(objects: DetectedObjects, shape: tuple[int, int]) -> DetectedObjects:
    """Bring labels and boxes to another grid of the same plane."""
    if objects.labels.shape == shape:
        return objects
    from napari_segment.deep.data.resample import resample

    factors = np.tile(np.divide(shape, objects.labels.shape), 2)
    boxes = objects.boxes * factors
    boxes[:, :2], boxes[:, 2:] = np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])
    labels = resample(objects.labels, shape, order=0)
    return replace(objects, labels=labels, boxes=boxes.astype(np.int64))


def _detections_of_tile(
    outputs: dict[str, NDArray[Any]],
    first: tuple[int, ...],
    grid: Grid,
    min_score: float,
    mask_threshold: float,
) -> list[Detection]:
    """Return the detections of one tile in the image's pixels, cropped to the image."""
    detections = []
    for i in np.flatnonzero(outputs["scores"] >= min_score):
        corner, pixels = paste_mask(
            outputs["masks"][i, 0], outputs["boxes"][i], mask_threshold, grid.tile
        )
        if not pixels.any():
            continue
        truncated = _is_truncated(corner, pixels.shape, first, grid)
        corner = (corner[0] + first[0], corner[1] + first[1])
        corner, pixels = _cropped(corner, pixels, grid.shape)
        if pixels.any():
            score, class_index = float(outputs["scores"][i]), int(outputs["labels"][i])
            detections.append(Detection(corner, pixels, score, class_index, truncated))
    return detections


def paste_mask(
    small: NDArray[np.float32], box: NDArray[np.float32], threshold: float, tile: Sequence[int]
) -> tuple[tuple[int, int], NDArray[np.bool_]]:
    """Resize a mask of 28 × 28 to its box; return its first row and column, and the mask."""
    import cv2

    x0, y0, x1, y1 = (float(v) for v in box)
    left, top = max(int(np.floor(x0)), 0), max(int(np.floor(y0)), 0)
    right, bottom = min(int(np.ceil(x1)), tile[1]), min(int(np.ceil(y1)), tile[0])
    if right <= left or bottom <= top:
        return (top, left), np.zeros((0, 0), bool)
    side = small.shape[0]
    scale_x, scale_y = (x1 - x0) / side, (y1 - y0) / side
    # Pixel centres of the box, in pixels of the small mask.
    shift = np.array(
        [
            [1 / scale_x, 0, (left + 0.5 - x0) / scale_x - 0.5],
            [0, 1 / scale_y, (top + 0.5 - y0) / scale_y - 0.5],
        ]
    )
    large = cv2.warpAffine(
        small, shift, (right - left, bottom - top),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip
    return (top, left), large >= threshold


def _is_truncated(
    corner: tuple[int, int], size: tuple[int, ...], first: tuple[int, ...], grid: Grid
) -> bool:
    """Whether the border of the tile, and not that of the image, truncates the object."""
    for c, n, f, t, s in zip(corner, size, first, grid.tile, grid.shape, strict=True):
        if (c <= 1 and f > 0) or (c + n >= t - 1 and f + t < s):
            return True
    return False


def _cropped(
    corner: tuple[int, int], mask: NDArray[np.bool_], shape: tuple[int, ...]
) -> tuple[tuple[int, int], NDArray[np.bool_]]:
    (y, x), (h, w) = corner, mask.shape
    cropped = mask[max(-y, 0) : max(shape[0] - y, 0), max(-x, 0) : max(shape[1] - x, 0)]
    return (max(y, 0), max(x, 0)), cropped[:h, :w]
