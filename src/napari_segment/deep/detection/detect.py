"""Find objects in images of any size with a trained detector."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.detection.merging import Found, Objects, put_together
from napari_segment.deep.device import Precision
from napari_segment.deep.inference.cluster import workers
from napari_segment.deep.inference.options import Options
from napari_segment.deep.inference.prediction import check, on_grid
from napari_segment.deep.inference.tiling import Grid, Prepare, Reader, as_float
from napari_segment.deep.planning.plan import Objects as Plan
from napari_segment.image import smallest_integers
from napari_segment.step import Step


@dataclass(frozen=True)
class Limits:
    """What counts as an object.

    Parameters
    ----------
    score : float
        How sure the network must be.
    mask : float
        Probability from which a pixel belongs to its object.
    overlap : float
        Part of the smaller of two objects that they share if they are the same one.
    size : int
        Objects of fewer pixels are left out.
    """

    score: float = 0.5
    mask: float = 0.5
    overlap: float = 0.5
    size: int = 0


def detect(  # noqa: PLR0913 - settings, each with a name
    network: Any,
    image: Any,
    *,
    tile: Sequence[int],
    overlap: float = 0.25,
    device: str = "cpu",
    precision: Precision = "auto",
    least: float = 0.05,
    mask: float = 0.5,
    prepare: Prepare = as_float,
) -> Generator[Step, None, list[Found]]:
    """Find the objects in every tile of a picture.

    Parameters
    ----------
    network : Detector or Detectors
        In eval mode; several have their devices already.
    image : array (C, Y, X)
        NumPy, Dask or zarr.
    tile : sequence of int
        Size of the tiles. An overlap larger than the objects shows each of them whole once.
    overlap : float
        Part of a tile shared with its neighbour.
    device : str
        See `napari_segment.deep.device.resolve`. Several, separated by commas, share the tiles.
    precision : {"auto", "float32", "bfloat16", "float16"}
        Number type of the computation; "auto" is float32 on the CPU, mixed elsewhere.
    least : float
        Less sure objects are not even kept.
    mask : float
        Probability from which a pixel belongs to its object.
    prepare : callable
        Normalises a block.

    Yields
    ------
    Step
        After every tile.

    Returns
    -------
    list of Found
        For `put_together`; the same object may be in several tiles.
    """
    from napari_segment.deep.detection.tiles_torch import Detectors

    if not isinstance(network, Detectors):
        network = Detectors(network, _devices(device), precision)
    shape = tuple(int(n) for n in image.shape[1:])
    grid = Grid(shape, tuple(int(t) for t in tile), overlap)
    read = Reader(image, grid, prepare)
    network.least(least)
    corners = [corner for row in grid.rows() for corner in row.corners]
    found: list[Found] = []
    for done in range(0, len(corners), len(network)):
        some = corners[done : done + len(network)]
        outputs = yield from network([read(corner) for corner in some], (done, len(corners)))
        for corner, one in zip(some, outputs, strict=True):
            first = tuple(c - p for c, p in zip(corner, grid.padding, strict=True))
            found += _placed(one, first, grid, least, mask)
        yield Step(done + len(some), len(corners))
    return found


def _devices(names: str) -> list[str]:
    from napari_segment.deep.device import resolve

    return [str(resolve(n.strip())) for n in names.split(",") if n.strip()] or [
        str(resolve("auto"))
    ]


def objects_in(
    network: Any, image: Any, limits: Limits, **settings: Any
) -> Generator[Step, None, Objects]:
    """The objects of a picture ``(C, Y, X)``, each once; settings as of `detect`."""
    found = yield from detect(network, image, mask=limits.mask, least=limits.score, **settings)
    shape = (int(image.shape[1]), int(image.shape[2]))
    retained = [f for f in found if f.mask.sum() >= limits.size]
    return put_together(retained, shape, score=limits.score, overlap=limits.overlap)


def labels_with(
    checkpoint: Checkpoint,
    objects: Plan,
    image: Any,
    options: Options,
    spacing: Sequence[float] = (),
) -> Generator[Step, None, tuple[NDArray[Any], dict[str, NDArray[Any]]]]:
    """Objects of an image with a trained detector, numbered through the planes of a stack.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of a detector.
    objects : Objects
        Its thresholds.
    image : array (C, Y, X) or (C, Z, Y, X)
        As it came; it is normalised as in training.
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
    check([checkpoint], image, spacing)
    numbers = checkpoint.statistics(image)
    shape = (int(image.shape[-2]), int(image.shape[-1]))
    image = on_grid(checkpoint, image, spacing)
    from napari_segment.deep.detection.tiles_torch import Detectors

    network = Detectors(
        checkpoint.network(), _devices(options.device), options.precision, movable=True
    )
    if workers():
        yield Step(0, 0, "Detectors are computed here, not by the workers of the Dask cluster.")
    score = options.thresholds[0] if options.thresholds else objects.seed
    limits = Limits(score, objects.foreground, size=objects.size)
    settings: dict[str, Any] = {
        "tile": options.tile or checkpoint.patch, "overlap": options.overlap,
        "prepare": partial(checkpoint.apply, numbers=numbers),
    }  # fmt: skip
    planes = [image] if len(image.shape) == 3 else _planes(image)
    drawn: list[NDArray[Any]] = []
    tables: list[dict[str, NDArray[Any]]] = []
    last = 0
    for z, plane in enumerate(planes):
        one = yield from objects_in(network, plane, limits, **settings)
        one = _brought_back(one, shape)
        drawn.append(np.where(one.labels > 0, one.labels + np.uint32(last), np.uint32(0)))
        tables.append(_features(one, last, checkpoint.names, None if len(image.shape) == 3 else z))
        last += len(one.scores)
        yield Step(z + 1, 1 if len(image.shape) == 3 else int(image.shape[1]), f"plane {z}")
    labels = drawn[0] if len(image.shape) == 3 else np.stack(drawn)
    features = {name: np.concatenate([t[name] for t in tables]) for name in tables[0]}
    return labels.astype(smallest_integers(last)), features


def _features(
    objects: Objects, last: int, names: Mapping[int, str], z: int | None
) -> dict[str, NDArray[Any]]:
    """The features of the objects of one plane, which are numbered from `last` + 1 on."""
    count = len(objects.scores)
    columns: dict[str, NDArray[Any]] = {"label": last + np.arange(1, count + 1)}
    if names:
        columns["class"] = np.array([names.get(int(k), f"class {k}") for k in objects.kinds], str)
    columns["score"] = objects.scores
    if z is not None:
        columns["bbox_z_start"] = np.full(count, z)
        columns["bbox_z_stop"] = np.full(count, z + 1)
    for i, name in enumerate(("y_start", "x_start", "y_stop", "x_stop")):
        columns[f"bbox_{name}"] = objects.boxes[:, i]
    return columns


def _planes(image: Any) -> Iterator[NDArray[Any]]:
    return (np.asarray(image[:, z : z + 1])[:, 0] for z in range(int(image.shape[1])))


def _brought_back(objects: Objects, shape: tuple[int, int]) -> Objects:
    """Labels and boxes on another grid of the same plane."""
    if objects.labels.shape == shape:
        return objects
    from napari_segment.deep.data.resample import resample

    factors = np.tile(np.divide(shape, objects.labels.shape), 2)
    boxes = objects.boxes * factors
    boxes[:, :2], boxes[:, 2:] = np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])
    labels = resample(objects.labels, shape, order=0)
    return replace(objects, labels=labels, boxes=boxes.astype(np.int64))


def _placed(
    outputs: dict[str, NDArray[Any]],
    first: tuple[int, ...],
    grid: Grid,
    least: float,
    mask: float,
) -> list[Found]:
    """The objects of one tile in the image's pixels; what lies beyond the image is cut off."""
    found = []
    for i in np.flatnonzero(outputs["scores"] >= least):
        corner, pixels = pasted(outputs["masks"][i, 0], outputs["boxes"][i], mask, grid.tile)
        if not pixels.any():
            continue
        cut = _is_cut(corner, pixels.shape, first, grid)
        corner = (corner[0] + first[0], corner[1] + first[1])
        corner, pixels = _inside(corner, pixels, grid.shape)
        if pixels.any():
            kind = int(outputs["labels"][i])
            found.append(Found(corner, pixels, float(outputs["scores"][i]), kind, cut))
    return found


def pasted(
    small: NDArray[np.float32], box: NDArray[np.float32], limit: float, tile: Sequence[int]
) -> tuple[tuple[int, int], NDArray[np.bool_]]:
    """A mask of 28 × 28 brought to the size of its box, and its first row and column."""
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
    return (top, left), large >= limit


def _is_cut(
    corner: tuple[int, int], size: tuple[int, ...], first: tuple[int, ...], grid: Grid
) -> bool:
    """Whether the border of the tile, and not that of the image, ends the object."""
    for c, n, f, t, s in zip(corner, size, first, grid.tile, grid.shape, strict=True):
        if (c <= 1 and f > 0) or (c + n >= t - 1 and f + t < s):
            return True
    return False


def _inside(
    corner: tuple[int, int], mask: NDArray[np.bool_], shape: tuple[int, ...]
) -> tuple[tuple[int, int], NDArray[np.bool_]]:
    (y, x), (h, w) = corner, mask.shape
    retained = mask[max(-y, 0) : max(shape[0] - y, 0), max(-x, 0) : max(shape[1] - x, 0)]
    return (max(y, 0), max(x, 0)), retained[:h, :w]
