"""Read the cases of a training, images and labels, measured once and held while they fit."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from napari_segment.deep.planning.fingerprint import Item, channels_first, check_alike, measured
from napari_segment.errors import ChangedFileError, FormatError, InputError
from napari_segment.image import Image, Labels, Stack, orientation_of, reoriented
from napari_segment.image.units import PIXEL
from napari_segment.io.changed import State, state_of
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.io.names import split_member
from napari_segment.step import Step

S = TypeVar("S", bound=Stack)

_GROWS = 16  # how much larger than its file a case may be in memory


@dataclass(eq=False)
class Cases:
    """Hold all cases of a training: measured in one pass, in memory while they fit.

    Parameters
    ----------
    pairs : Pairs
        What is trained on.
    budget : int
        Bytes of pixels to keep; what goes beyond is read again each time.
    orientation : str
        Anatomical direction of each axis, to which all cases are turned; that of the first case
        which has one.
    unit : str
        Unit of length to which all cases are brought; that of the first case which has one.
    """

    pairs: Pairs
    budget: int = 2**32
    orientation: str = ""
    unit: str = PIXEL
    items: list[Item] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    _cache: dict[int, tuple[Image, Labels]] = field(default_factory=dict)
    _bytes: int = 0
    _lock: Lock = field(default_factory=Lock)
    _states: dict[int, tuple[State, ...]] = field(default_factory=dict)

    def measure(self) -> Generator[Step, None, None]:
        """Read every case once and fill `items`.

        Raises
        ------
        InputError
            If there is nothing to train on, or the cases do not go together.
        FormatError
            If no case can be read.

        Warns
        -----
        LeftOutWarning
            For each case that cannot be read.
        """
        total = len(self.pairs)
        if not total:
            why = " ".join(self.pairs.notes)
            raise InputError(f"There is no image with labels to train on. {why}".strip())
        for note in self.pairs.notes:
            yield Step(0, total, note)
        for i in range(total):
            self._measure(i)
            yield Step(i + 1, total, "reading cases")
        if not self.items:
            raise FormatError(f"None of the {total} cases can be read: {', '.join(self.left_out)}.")
        if note := self.note:
            yield Step(total, total, note)
        for decision in self.pairs.decisions:
            yield Step(total, total, decision)
        check_alike(self.items)

    def _measure(self, case: int) -> None:
        """Add the items of a case, unless it cannot be read."""
        part, ignored = self.pairs[case].part, self.pairs.ignore_index
        try:
            self.items += [measured(case, t, part, *both, ignored) for t, both in self._times(case)]
        except OSError as error:
            self.left_out.append(self.pairs.unreadable(case, error))

    @property
    def note(self) -> str:
        """Which cases were left out; empty where none was."""
        if not self.left_out:
            return ""
        names = ", ".join(self.left_out)
        return f"{len(self.left_out)} of {len(self.pairs)} cases cannot be read, left out: {names}"

    def read(self, item: Item) -> tuple[Any, Any]:
        """Pixels of an item: image ``(C, *S)`` and labels ``(*S)``, both as they came.

        Those of a case that is larger than the budget are lazy, where its files can be read so.

        Raises
        ------
        ChangedFileError
            If a file was rewritten since it was measured.
        """
        for time, (image, labels) in self._times(item.case):
            if time == item.time:
                pixels = channels_first(image)
                crop = item.crop or (slice(None),) * (pixels.ndim - 1)
                return pixels[(slice(None), *crop)], labels.data[crop]
        raise InputError(f"The case {item.name!r} has changed since it was measured.")

    def forget(self) -> None:
        """Let go of all pixels."""
        self._cache.clear()

    def _times(self, case: int) -> list[tuple[int, tuple[Image, Labels]]]:
        image, labels = self._open(case)
        if "T" not in image.axes:
            return [(-1, (image, labels))]
        return [(t, (image.take("T", t), labels.take("T", t))) for t in range(image.size("T"))]

    def _open(self, case: int) -> tuple[Image, Labels]:
        if case in self._cache:
            return self._cache[case]
        sources = self.pairs[case].image, self.pairs[case].labels
        self._check_states(case, sources)
        pair = self.pairs.read(case, lazy=any(self._may_be_large(s) for s in sources))
        image, labels = self._alike(pair[0].canonical()), self._alike(pair[1].canonical())
        if _ready_bytes(image) > self.budget:
            return image, labels
        image, labels = image.compute(), labels.compute()
        size = image.data.nbytes + labels.data.nbytes
        with self._lock:
            if case not in self._cache and self._bytes + size <= self.budget:
                self._cache[case] = (image, labels)
                self._bytes += size
        return image, labels

    def _check_states(self, case: int, sources: tuple[object, ...]) -> None:
        """Refuse files that are not those any more that the plan was made for."""
        paths = [path for source in sources for path in _paths(source)]
        states = tuple(state for path in paths for state in _states(path))
        if self._states.setdefault(case, states) != states:
            name = self.pairs[case].name
            raise ChangedFileError(
                f"The files of case {name!r} were rewritten after the training had read them: its "
                "patches would be of two data sets. Start the training again."
            )

    def _alike(self, stack: S) -> S:
        """Bring a stack to the orientation and the unit of the first case that has them."""
        if not self.orientation:
            self.orientation = orientation_of(stack)
        if self.unit == PIXEL:
            self.unit = stack.unit
        return reoriented(stack, self.orientation).in_unit(self.unit)

    def _may_be_large(self, source: object) -> bool:
        """Whether to look before reading; of small files lazy reading would only cost time."""
        if isinstance(source, Stack):
            return True
        files = _paths(source)
        return any(p.is_dir() or p.stat().st_size * _GROWS > self.budget for p in files)


def _paths(source: object) -> list[Path]:
    """Return the files and folders of an image: one, or one for each channel."""
    paths = source if isinstance(source, tuple) else (source,)
    return [p for p in paths if isinstance(p, Path)]


def _states(path: Path) -> list[State]:
    """Return the states of a file, or of the files of a folder, such as DICOM and Zarr's."""
    path, _ = split_member(path)
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return [state_of(file) for file in files if file.is_file()]


def _ready_bytes(image: Image) -> int:
    """Return what one time point takes once it is made ready: float32, and its target."""
    voxels = prod(image.size(a) for a in image.spatial_axes)
    return voxels * (4 * image.size("C") + 4)
