"""A pixel classifier that learns while one paints: the plane in view, first coarse, then whole."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks.memory import free_memory
from napari_segment.classical.classifier.card import label_of
from napari_segment.classical.classifier.features import FeatureSet, Kind, for_rows
from napari_segment.classical.classifier.forest import Forest
from napari_segment.classical.classifier.training import LabelledImage, scales_of
from napari_segment.errors import InputError, MemoryShortError

TREES = 30  # of a forest that is fitted again after every stroke
SAMPLES = 4_000  # labelled voxels of a class that it learns from
COARSE = 400_000  # voxels of the first answer, about as many as a screen shows
_PART = 1 << 20  # voxels between two questions whether the answer is still wanted
_SHARE = 4  # of the free memory that the features of a plane may take

Box = tuple[slice, slice]


@dataclass(frozen=True, eq=False)
class Painted:
    """What a person sees and has painted.

    Parameters
    ----------
    image : LabelledImage
        One time point: its channels, and its strokes.
    version : hashable
        Tells the pixels of the image from others; the strokes play no part.
    plane : int
        The plane in view of a volume; 0 of a plane.
    box : tuple of slice
        The part of the plane that is in view, along Y and X.
    """

    image: LabelledImage
    version: Hashable
    plane: int
    box: Box


@dataclass
class LiveClassifier:
    """A forest that is fitted again after every stroke, and what it has computed before.

    Features are computed once for each plane that is looked at or painted on, in 3-D with the
    planes around it, so that the answer is that of a training with as many trees.

    Parameters
    ----------
    scales : tuple of float or "auto"
    kinds : tuple of str
        As `features` of `train_classifier`.
    background : int or "none"
        The class that becomes 0.
    seed : int
        For the trees.
    """

    scales: tuple[float, ...] | str = "auto"
    kinds: tuple[Kind, ...] = ("gaussian", "gradient", "laplacian", "hessian")
    background: int | str = "none"
    seed: int = 0
    _version: Hashable = None
    _tables: OrderedDict[int, NDArray[np.float32]] = field(default_factory=OrderedDict)
    _samples: dict[int, tuple[str, NDArray[np.float32], NDArray[np.int64]]] = field(
        default_factory=dict
    )

    def classify(
        self, painted: Painted, stale: Callable[[], bool] = lambda: False
    ) -> Generator[NDArray[Any], None, None]:
        """Classify the plane in view.

        Parameters
        ----------
        painted : Painted
            What is seen, and the strokes of all planes.
        stale : callable
            Whether the answer is not wanted any more.

        Yields
        ------
        array (Y, X) of unsigned int
            First what is in view, at about the resolution of a screen, 0 elsewhere; then the whole
            plane.

        Raises
        ------
        InputError
            If fewer than two classes are painted.
        MemoryShortError
            If the features of the plane do not fit into the memory.
        """
        version = (painted.version, painted.image.spacing, self.scales, self.kinds)
        if version != self._version:
            self._tables.clear()
            self._samples.clear()
            self._version = version
        table = self._table(painted.image, painted.plane)
        forest, values = self._forest(painted.image)
        shape = painted.image.labels.shape[-2:]
        yield from _answers(forest, table, values, shape, painted.box, stale)

    # ---- features ----

    def _features(self, image: LabelledImage) -> FeatureSet:
        return FeatureSet(scales_of(self.scales, image), self.kinds)

    def _table(self, image: LabelledImage, plane: int) -> NDArray[np.float32]:
        """Features of a plane; those of the plane of before are let go of first."""
        if plane not in self._tables:
            self._tables.clear()
            self._tables[plane] = _plane_features(image, self._features(image), plane)
        return self._tables[plane]

    def _forest(self, image: LabelledImage) -> tuple[Forest, tuple[int, ...]]:
        """The forest of all strokes, and the label number of each of its classes."""
        strokes = np.asarray(image.labels)
        planes = strokes.reshape(-1, *strokes.shape[-2:])
        painted = np.flatnonzero((planes > 0).any((1, 2))).tolist()
        self._samples = {z: s for z, s in self._samples.items() if z in painted}
        for z in painted:
            self._learn(image, planes[z], z)
        if not self._samples:
            raise InputError("Nothing is painted yet: paint some of each class.")
        numbers = np.concatenate([number for _, _, number in self._samples.values()])
        classes, target = np.unique(numbers, return_inverse=True)
        if len(classes) < 2:
            raise InputError(f"Only class {classes[0]} is painted. Paint another class too.")
        table = np.concatenate([rows for _, rows, _ in self._samples.values()])
        chosen = _drawn(target, self.seed)
        forest, _ = Forest.fit(
            table[chosen], target[chosen], trees=TREES, min_leaf=1, max_depth=None, seed=self.seed,
            score=False,
        )  # fmt: skip
        return forest, tuple(0 if c == self.background else int(c) for c in classes)

    def _learn(self, image: LabelledImage, strokes: NDArray[Any], plane: int) -> None:
        """Take the features of a plane's strokes, unless they are as they were."""
        digest = hashlib.blake2b(np.ascontiguousarray(strokes), digest_size=16).hexdigest()
        known = self._samples.get(plane)
        if known is not None and known[0] == digest:
            return
        where = np.flatnonzero(strokes > 0)
        table = self._tables.get(plane)
        if table is None:
            table = _plane_features(image, self._features(image), plane)
        numbers = strokes.reshape(-1)[where].astype(np.int64)
        self._samples[plane] = digest, table[where], numbers


def _plane_features(image: LabelledImage, features: FeatureSet, plane: int) -> NDArray[np.float32]:
    """Features (N, F) of the voxels of a plane, with what they need of the planes around it."""
    channels = image.channels
    ny, nx = channels.shape[-2:]
    count = len(features.names(("",) * len(channels), channels.ndim - 1))
    first = plane
    if channels.ndim == 4:
        reach = features.reach(image.spacing)[0]
        low, high = max(plane - reach, 0), min(plane + reach + 1, channels.shape[1])
        channels, first = channels[:, low:high], plane - low
    held = features.volumes(channels.ndim - 1) * len(features.scales)
    volumes = len(channels) * held * int(np.prod(channels.shape[1:]))
    need = 4 * (count * ny * nx + volumes)
    if need > free_memory() // _SHARE:
        raise MemoryShortError(
            f"Classifying while painting would take {need / 1e9:.1f} GB for this plane, and "
            f"{free_memory() / 1e9:.1f} GB are free. Learn and classify instead, or name fewer "
            "features or scales."
        )
    out = np.empty((ny * nx, count), np.float32)

    def use(start: int, stop: int, rows: NDArray[np.float32]) -> None:
        out[start - first * ny * nx : stop - first * ny * nx] = rows

    lines = (first * ny, (first + 1) * ny) if channels.ndim == 4 else None
    for_rows(np.asarray(channels), image.spacing, features, use, lines=lines)
    return out


def _drawn(target: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """At most so many samples of each class."""
    rng = np.random.default_rng(seed)
    parts = [np.flatnonzero(target == k) for k in range(int(target.max()) + 1)]
    chosen = [p if len(p) <= SAMPLES else rng.choice(p, SAMPLES, replace=False) for p in parts]
    return np.sort(np.concatenate(chosen))


def _answers(
    forest: Forest,
    table: NDArray[np.float32],
    values: Sequence[int],
    shape: tuple[int, ...],
    box: Box,
    stale: Callable[[], bool],
) -> Generator[NDArray[Any], None, None]:
    """What is in view at a coarse step, then the whole plane."""
    grid = table.reshape(*shape, table.shape[1])
    seen = grid[box]
    step = max(1, int(np.ceil(np.sqrt(seen.shape[0] * seen.shape[1] / COARSE))))
    whole = np.zeros(shape, label_of(np.zeros(1, np.intp), values).dtype)
    if step > 1 or seen.shape[:2] != tuple(shape):
        few = seen[::step, ::step]
        coarse = label_of(_best(forest, few.reshape(-1, few.shape[-1])), values)
        coarse = coarse.reshape(few.shape[:2]).repeat(step, 0).repeat(step, 1)
        whole[box] = coarse[: seen.shape[0], : seen.shape[1]]
        yield whole.copy()
    flat = whole.reshape(-1)
    for start in range(0, len(flat), _PART):
        if stale():
            return
        part = slice(start, start + _PART)
        flat[part] = label_of(_best(forest, table[part]), values)
    yield whole


def _best(forest: Forest, rows: NDArray[np.float32]) -> NDArray[np.intp]:
    return np.asarray(forest.probabilities(rows).argmax(1))
