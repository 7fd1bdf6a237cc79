"""Change: what an edit did to labels, stored compressed, to be undone and done again."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.results.edits.view import Box

_LEVEL = 1  # of zlib: fast


class Editable(Protocol):
    """An array that edits are written to: NumPy or zarr."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, where: tuple[slice, ...], /) -> Any: ...

    def __setitem__(self, where: tuple[slice, ...], values: NDArray[Any], /) -> None: ...


@dataclass(frozen=True, eq=False)
class Change:
    """The voxels that differ in a box, with their values before and after.

    Parameters
    ----------
    start, sides : tuple of int
        Where the box begins in the whole array, and how long its sides are.
    mask : bytes
        Which voxels differ, a bit each, compressed.
    before, after : bytes
        Their values, compressed.
    dtypes : tuple of str
        The types of `before` and of `after`.
    """

    start: tuple[int, ...]
    sides: tuple[int, ...]
    mask: bytes
    before: bytes
    after: bytes
    dtypes: tuple[str, str]

    @classmethod
    def of(cls, where: Box, before: NDArray[Any], after: NDArray[Any]) -> Change | None:
        """Return what differs in a box; None where nothing does."""
        mask = before != after
        if not mask.any():
            return None
        start = [s.start for s in where]
        for axis in range(mask.ndim):
            others = tuple(a for a in range(mask.ndim) if a != axis)
            some = np.flatnonzero(mask.any(others))
            inner = (slice(None),) * axis + (slice(int(some[0]), int(some[-1]) + 1),)
            mask, before, after = mask[inner], before[inner], after[inner]
            start[axis] += int(some[0])
        old, new = before[mask], after[mask]
        return cls(
            tuple(start), mask.shape, _packed(np.packbits(mask)), _packed(old), _packed(new),
            (old.dtype.str, new.dtype.str),
        )  # fmt: skip

    @property
    def where(self) -> Box:
        """The box in the whole array."""
        sides = zip(self.start, self.sides, strict=True)
        return tuple(slice(start, start + side) for start, side in sides)

    @property
    def nbytes(self) -> int:
        """What it takes in memory."""
        return len(self.mask) + len(self.before) + len(self.after)

    def reversed(self) -> Change:
        """Return the change that undoes it."""
        dtypes = (self.dtypes[1], self.dtypes[0])
        return Change(self.start, self.sides, self.mask, self.after, self.before, dtypes)

    def largest(self, *, undone: bool = False) -> int:
        """Return the largest value that it writes."""
        return int(self._values(undone=undone).max(initial=0))

    def voxels(self) -> NDArray[np.bool_]:
        """Return where in the box it lies."""
        size = int(np.prod(self.sides))
        bits = np.unpackbits(np.frombuffer(zlib.decompress(self.mask), np.uint8), count=size)
        return np.asarray(bits.astype(bool).reshape(self.sides))

    def values(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the values of its voxels before and after."""
        return self._values(undone=True), self._values(undone=False)

    def positions(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Return its voxels by their number in C order of the whole array."""
        indices = np.argwhere(self.voxels()) + np.asarray(self.start)
        return np.asarray(np.ravel_multi_index(tuple(indices.T), shape), np.int64)

    def fits(self, labels: Editable) -> bool:
        """Return whether the labels have the values from before in its voxels."""
        if any(s.stop > n for s, n in zip(self.where, labels.shape, strict=True)):
            return False
        present = np.asarray(labels[self.where])[self.voxels()]
        return bool(np.array_equal(present, self._values(undone=True)))

    def write(self, labels: Editable, *, undone: bool = False) -> tuple[NDArray[Any], NDArray[Any]]:
        """Write the values after it, or before it, to labels.

        Returns
        -------
        earlier, present : ndarray
            The whole box as it was, and as it is.
        """
        earlier = np.array(labels[self.where])
        present = earlier.copy()
        present[self.voxels()] = self._values(undone=undone)
        labels[self.where] = present
        return earlier, present

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        parts = {"mask": self.mask, "before": self.before, "after": self.after}
        texts = {name: base64.b64encode(part).decode() for name, part in parts.items()}
        return {"start": self.start, "sides": self.sides, "dtypes": self.dtypes, **texts}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any], most: int = 1 << 31) -> Change:
        """Read what `to_plain` gave, whose box has at most so many voxels.

        Raises
        ------
        FormatError
            If it is no such change.
        """
        try:
            start, sides = (tuple(int(i) for i in values[name]) for name in ("start", "sides"))
            texts = (values[name] for name in ("mask", "before", "after"))
            mask, before, after = (base64.b64decode(text, validate=True) for text in texts)
            old, new = (np.dtype(str(name)) for name in values["dtypes"])
            if old.kind not in "iu" or new.kind not in "iu":
                raise ValueError("values that are no integers")
            change = cls(start, sides, mask, before, after, (old.str, new.str))
            change._check(most)
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise FormatError(f"What an edit changed cannot be read: {error}.") from None
        return change

    def _check(self, most: int) -> None:
        """Refuse parts that do not fit together, before any is unpacked whole."""
        size = 1
        for side in self.sides:
            size *= side
        if min(self.sides, default=0) < 1 or min(self.start, default=0) < 0:
            raise ValueError("a box without voxels")
        if size > most:
            raise ValueError(f"a box of {size:,} voxels, which is larger than the labels")
        mask = _bounded(self.mask, (size + 7) // 8)
        count = int(np.unpackbits(np.frombuffer(mask, np.uint8), count=size).sum())
        for part, dtype in ((self.before, self.dtypes[0]), (self.after, self.dtypes[1])):
            _bounded(part, count * np.dtype(dtype).itemsize)

    def _values(self, *, undone: bool) -> NDArray[Any]:
        packed, dtype = (self.before, self.dtypes[0]) if undone else (self.after, self.dtypes[1])
        return np.frombuffer(zlib.decompress(packed), np.dtype(dtype))


def _packed(values: NDArray[Any]) -> bytes:
    return zlib.compress(np.ascontiguousarray(values).data, _LEVEL)


def _bounded(packed: bytes, size: int) -> bytes:
    """Unpack what has a given size, and no more of what is larger."""
    unpacker = zlib.decompressobj()
    content = unpacker.decompress(packed, size + 1)
    if len(content) != size:
        raise ValueError(f"{len(content)} bytes or more where {size} are expected")
    return content
