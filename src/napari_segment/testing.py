"""The contract checks: what every filter, method, cleanup and edit must hold.

In the test-suite of a plug-in::

    import pytest
    from napari_segment.registry import methods
    from napari_segment.testing import CHECKS, check

    @pytest.mark.parametrize("case", CHECKS)
    def test_my_method(case):
        check(methods["my_method"], case)

Edits are checked by `check_edit` on the labels of `edit_sample`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import SegmentError
from napari_segment.recipe import Edit
from napari_segment.registry import Entry, Regridded
from napari_segment.results.edits.change import Editable
from napari_segment.results.edits.history import History
from napari_segment.step import Step, run

Array = NDArray[Any]

_DTYPES = ("bool", "uint8", "uint16", "int16", "int32", "float32", "float64")
_FURTHER = ("int8", "uint32", "int64", "uint64", "float16", "longdouble")


def _blobs(ndim: int, dtype: str = "uint8", size: int = 12) -> Array:
    """Two bright balls, one of them at the border, on a ramp with a little noise."""
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(size + i) for i in range(ndim)], indexing="ij"))
    image = 20.0 + grid[0] + rng.integers(0, 5, grid.shape[1:])
    for centre, radius in (((size // 3,) * ndim, 2.5), ((size - 2,) * ndim, 3.0)):
        offset = grid - np.reshape(centre, (ndim,) + (1,) * ndim)
        image[(offset**2).sum(0) <= radius**2] += 150
    return np.asarray(image > 100 if dtype == "bool" else image.astype(dtype))


def _with_nan() -> Array:
    image = _blobs(2, "float32")
    image[3, 4] = np.nan
    return image


def _frozen() -> Array:
    image = _blobs(2)
    image.setflags(write=False)
    return image


IMAGES: Mapping[str, Callable[[], Array]] = {
    **{f"2-D {dtype}": partial(_blobs, 2, dtype) for dtype in (*_DTYPES, *_FURTHER)},
    **{f"3-D {dtype}": partial(_blobs, 3, dtype) for dtype in _DTYPES},
    "one pixel": lambda: np.full((1, 1), 7, np.uint8),
    "one voxel": lambda: np.full((1, 1, 1), 7, np.uint16),
    "one row": lambda: _blobs(2)[:1],
    "constant": lambda: np.full((9, 8), 7, np.uint8),
    "constant float": lambda: np.full((9, 8), 0.5, np.float32),
    "all zero": lambda: np.zeros((9, 8), np.float32),
    "empty": lambda: np.zeros((0, 8), np.uint8),
    "NaN": _with_nan,
    "all NaN": lambda: np.full((9, 8), np.nan, np.float32),
    "infinite": lambda: np.where(_blobs(2) > 100, np.inf, 1.0).astype(np.float32),
    "read-only": _frozen,
    "non-contiguous": lambda: np.repeat(_blobs(2), 2, 1)[:, ::2].T,
    "big-endian": lambda: _blobs(2, "uint16").astype(">u2"),
    "negative": lambda: _blobs(2, "int16") - 100,
}

# In these, a clear error is as good an answer as a result.
MAY_REFUSE = frozenset({"empty", "NaN", "all NaN", "infinite", "one pixel", "one voxel", "one row"})

CHECKS = (*IMAGES, "repeatable", "together", "blocks")


def check(entry: Entry, case: str, settings: Mapping[str, Any] | None = None) -> None:
    """Hold a filter, method or cleanup to its contract in one case.

    Parameters
    ----------
    entry : Entry
        Of the registry filters, methods or cleanups.
    case : str
        One of `CHECKS`: a kind of image, "repeatable" (same settings, same result), "together"
        (time points taken at once where neighbours play no part) or "blocks" (a Dask array of odd
        chunks gives what the NumPy array gives).
    settings : mapping, optional
        Settings that the entry cannot do without.

    Raises
    ------
    AssertionError
        Saying which promise is broken.
    """
    settings = settings or {}
    if case == "repeatable":
        _check_repeatable(entry, settings)
    elif case == "together":
        _check_together(entry, settings)
    elif case == "blocks":
        _check_blocks(entry, settings)
    else:
        _check_image(entry, IMAGES[case](), settings, may_refuse=case in MAY_REFUSE)


def _check_image(
    entry: Entry, image: Array, settings: Mapping[str, Any], *, may_refuse: bool
) -> None:
    if image.ndim not in entry.ndim:
        return
    data = _data(entry, image)
    before = {name: np.array(value) for name, value in data.items()}
    try:
        result = _call(entry, data, settings)
    except SegmentError as error:
        if may_refuse and len(str(error)) > 20:
            return
        raise AssertionError(f"{entry.name} refuses ordinary data, or says too little") from error
    if isinstance(result, Regridded):
        _check_regridded(entry, result, data["image"])
    else:
        _check_result(entry, np.asarray(result), data)
    for name, value in data.items():
        assert np.array_equal(np.asarray(value), before[name], equal_nan=name == "image"), (
            f"{entry.name} changed its input {name}"
        )


def _check_result(entry: Entry, result: Array, data: Mapping[str, Any]) -> None:
    shape = data["labels" if entry.kind == "cleanups" else "image"].shape
    shape = shape[1:] if entry.channels == "many" and entry.kind == "methods" else shape
    assert result.shape == shape, f"{entry.name} gives shape {result.shape} for {shape}"
    if entry.kind == "filters":
        assert result.dtype.kind in "buif", f"{entry.name} gives {result.dtype}"
        return
    if entry.gives == "mask":
        assert result.dtype == bool or set(np.unique(result)) <= {0, 1}, f"{entry.name}: no mask"
    assert result.dtype.kind in "bui", f"{entry.name} gives labels of {result.dtype}"
    assert result.size == 0 or result.min() >= 0, f"{entry.name} gives negative labels"


def _check_regridded(entry: Entry, result: Regridded, image: Array) -> None:
    sides = result.array.shape[-len(result.spacing) :]
    assert entry.kind == "filters", f"{entry.name} is no filter, but changes the grid"
    assert result.array.ndim == image.ndim, f"{entry.name} changes the number of axes"
    assert min(result.spacing) > 0, f"{entry.name} gives the spacing {result.spacing}"
    assert all(sides), f"{entry.name} gives shape {result.array.shape}"


def _check_repeatable(entry: Entry, settings: Mapping[str, Any]) -> None:
    for ndim in entry.ndim:
        data = _data(entry, _blobs(ndim))
        first, second = (_pixels(_call(entry, data, settings)) for _ in range(2))
        assert np.array_equal(first, second, equal_nan=np.asarray(first).dtype.kind == "f"), (
            f"{entry.name} gives another result the second time"
        )


def _check_together(entry: Entry, settings: Mapping[str, Any]) -> None:
    if not entry.pointwise:
        return
    times = np.stack([_blobs(3), _blobs(3)[::-1]])
    expected = _call(entry, _data(entry, times.reshape(-1, *times.shape[2:])), settings)
    together = _call(entry, _data(entry, times), settings)
    assert np.array_equal(together.reshape(expected.shape), expected), (
        f"{entry.name} looks at neighbours, or refuses time points, but says that it is pointwise"
    )


def _check_blocks(entry: Entry, settings: Mapping[str, Any]) -> None:
    if entry.whole:
        assert entry.whole.strip().endswith("."), f"{entry.name}: say why in a sentence"
        return
    import dask.array as da

    for ndim in entry.ndim:
        for dtype in ("uint16", "float32"):
            data = _data(entry, _blobs(ndim, dtype, size=20))
            lazy = {
                name: da.from_array(value, chunks=(2, 7, 9, 11)[-value.ndim :])
                if isinstance(value, np.ndarray)
                else value
                for name, value in data.items()
            }
            result = _pixels(_call(entry, lazy, settings))
            assert not isinstance(result, np.ndarray), f"{entry.name} gathers the whole array"
            expected = np.asarray(_pixels(_call(entry, data, settings)))
            assert np.array_equal(result, expected, equal_nan=expected.dtype.kind == "f"), (
                f"{entry.name} on blocks differs from {entry.name} in memory ({ndim}-D {dtype})"
            )


def _data(entry: Entry, image: Array) -> dict[str, Any]:
    """What an entry is given, by the names of its data parameters."""
    if entry.channels == "many":
        image = np.stack([image, image[..., ::-1], image])
    spatial = image.shape[1:] if entry.channels == "many" else image.shape
    threshold = np.nan_to_num(image.astype(float)).mean() if image.size else 0
    labels = image > threshold
    known = {
        "image": image,
        "spacing": (2.0, 1.0, 0.5)[-len(spatial) :],
        "labels": labels,
        "holds": "mask",
        "probabilities": np.stack([1.0 - labels, labels]).astype(np.float32),
    }
    wanted = {p.name for p in entry.parameters if p.default is inspect.Parameter.empty}
    return {n: known[n] for n in entry.data if n in known and (n in wanted or n == "spacing")}


def _call(entry: Entry, data: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    with np.errstate(all="ignore"):
        result = entry.function(**data, **entry.validate(settings))
    if inspect.isgenerator(result):
        return run(cast("Generator[Step, None, Any]", result))
    return result


def _pixels(result: Array | Regridded) -> Any:
    return result.array if isinstance(result, Regridded) else result


# ---- edits ----

EDIT_CHECKS = ("boxes", "undo", "repeatable", "zarr", "plain", "types", "times")


def edit_sample(ndim: int = 2) -> tuple[Array, Array]:
    """Labels that edits are checked on, and their image.

    Objects 1, 2 (with a hole) and 3 do not touch; 4 is a dumbbell across the last axis; along the
    first axis 5 lies in the first and the last plane only.

    Parameters
    ----------
    ndim : int
        2 or 3.

    Returns
    -------
    labels, image : ndarray
        Of shape ``(14, 30)`` or ``(5, 14, 30)``.
    """
    labels = np.zeros((5, 14, 30), np.uint8)
    labels[:, 1:6, 1:6] = 1
    labels[:, 1:7, 8:14] = 2
    labels[1:4, 3:5, 10:12] = 0
    labels[:, 9:13, 1:5] = 3
    labels[:, 1:6, 16:22] = labels[:, 1:6, 23:29] = 4
    labels[:, 3, 22] = 4
    labels[[0, -1], 8:13, 8:13] = 5
    if ndim == 2:
        labels = labels[2]
        labels[8:10, 8:13] = labels[12, 8:13] = 5
    image = np.where(labels > 0, 200, 20).astype(np.uint16)
    return labels, image + np.arange(labels.size, dtype=np.uint16).reshape(labels.shape) % 5


def check_edit(entry: Entry, case: str, settings: Mapping[str, Any], ndim: int = 2) -> None:
    """Hold an edit to its contract in one case.

    Parameters
    ----------
    entry : Entry
        Of the registry edits.
    case : str
        One of `EDIT_CHECKS`: "boxes" (nothing changes outside of what it says, and boxes follow),
        "undo" (undoing restores every voxel, redoing the result), "repeatable", "zarr" (a zarr
        array becomes what a NumPy array becomes), "plain" (settings survive JSON), "types" (every
        integer type gives the same) or "times" (a time point is edited as if it were alone).
    settings : mapping
        Settings that fit the labels of `edit_sample`.
    ndim : int
        2 or 3.

    Raises
    ------
    AssertionError
        Saying which promise is broken.
    """
    labels, image = edit_sample(ndim)
    axes = "ZYX"[-ndim:]
    edit = Edit(name=entry.name, settings=dict(settings))
    history = History(labels.copy(), axes, (), image)
    planned = history.plan(edit)
    assert np.array_equal(_all(history), labels), f"{entry.name} changed its input"
    made = history.commit(planned)
    result = _all(history)
    checks: dict[str, Callable[[], None]] = {
        "boxes": lambda: _check_boxes(entry, history, labels, result, made.boxes),
        "undo": lambda: _check_undo(entry, history, labels, result),
        "repeatable": lambda: _check_equal(entry, labels, image, axes, edit, result),
        "zarr": lambda: _check_equal(entry, _stored(labels), image, axes, edit, result),
        "plain": lambda: _check_plain(entry, made.edit, labels, image, axes, result),
        "types": lambda: _check_types(entry, labels, image, axes, edit, result),
        "times": lambda: _check_times(entry, labels, image, axes, edit, result),
    }
    checks[case]()


def _check_boxes(
    entry: Entry, history: History, labels: Array, result: Array, boxes: list[Any]
) -> None:
    outside = np.ones(labels.shape, bool)
    for box in boxes:
        outside[box] = False
    assert np.array_equal(result[outside], labels[outside]), f"{entry.name} writes outside"
    for number in np.unique(result[result > 0]).tolist():
        where = np.argwhere(result == number)
        low, high = where.min(0).tolist(), (where.max(0) + 1).tolist()
        box = history.index.box(number)
        assert box == tuple(map(slice, low, high)), f"{entry.name}: the box of {number} is {box}"
    present = set(np.unique(result[result > 0]).tolist())
    assert set(history.index.numbers()) == present, f"{entry.name}: other objects are listed"
    from napari_segment.results.edits.checksum import checksum

    assert history.checksum == checksum(result), f"{entry.name}: another checksum"


def _check_undo(entry: Entry, history: History, labels: Array, result: Array) -> None:
    history.undo()
    assert np.array_equal(_all(history), labels), f"{entry.name}: undoing does not restore"
    history.redo()
    assert np.array_equal(_all(history), result), f"{entry.name}: redoing differs"


def _check_equal(
    entry: Entry, labels: Editable, image: Array, axes: str, edit: Edit, result: Array
) -> None:
    data = labels.copy() if isinstance(labels, np.ndarray) else labels
    history = History(data, axes, (), image)
    history.make(edit)
    kind = type(labels).__name__
    assert np.array_equal(_all(history), result), f"{entry.name} on {kind} differs"


def _all(history: History) -> Array:
    """Return a copy of all labels of a history."""
    return np.array(history.labels[tuple(slice(0, n) for n in history.labels.shape)])


def _stored(labels: Array) -> Any:
    import zarr

    return zarr.array(labels.astype(np.uint16), chunks=(3, 7, 11)[-labels.ndim :])


def _check_plain(
    entry: Entry, edit: Edit, labels: Array, image: Array, axes: str, result: Array
) -> None:
    again = Edit.model_validate_json(edit.model_dump_json())
    assert again == edit, f"{entry.name}: settings do not survive JSON"
    _check_equal(entry, labels, image, axes, again, result)


def _check_types(
    entry: Entry, labels: Array, image: Array, axes: str, edit: Edit, result: Array
) -> None:
    for dtype in ("int8", "uint16", "int32", "uint32", "int64", "uint64"):
        _check_equal(entry, labels.astype(dtype), image, axes, edit, result)


def _check_times(
    entry: Entry, labels: Array, image: Array, axes: str, edit: Edit, result: Array
) -> None:
    several, images = np.stack([labels[::-1], labels]), np.stack([image[::-1], image])
    at = edit.model_copy(update={"at": {"T": 1}})
    expected = np.stack([labels[::-1], result])
    _check_equal(entry, several, images, "T" + axes, at, expected)
