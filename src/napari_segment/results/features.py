"""Features of objects: what is known of each, through planes, time points and cleanups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import overlaps
from napari_segment.image import Labels

Columns = Mapping[str, NDArray[Any]]


def concatenated(parts: Sequence[Columns]) -> dict[str, NDArray[Any]]:
    """Join the rows of several tables; columns that not all have are left out.

    Parameters
    ----------
    parts : sequence of mapping of str to array
        Tables without columns say nothing and are passed over.
    """
    known = [part for part in parts if part]
    if not known:
        return {}
    names = [name for name in known[0] if all(name in part for part in known)]
    return {name: np.concatenate([part[name] for part in known]) for name in names}


def joined(known: Columns, added: Columns) -> dict[str, NDArray[Any]]:
    """Return one table of what was known of objects and what was added.

    Parameters
    ----------
    known, added : mapping of str to array
        Tables with a row for each object, by ``label`` (and ``time``). A column of both is that of
        the added ones.

    Returns
    -------
    dict of str to array
        The rows of `added`; columns of `known` only where all of these objects have a row there.
    """
    if not known or not added:
        return dict(known or added)
    rows = {key: row for row, key in enumerate(_keys(known))}
    wanted = [rows.get(key, -1) for key in _keys(added)]
    if -1 in wanted:
        return dict(added)
    return {**{name: column[wanted] for name, column in known.items()}, **added}


def _keys(table: Columns) -> list[tuple[int, int]]:
    labels = table["label"]
    times = table.get("time", np.zeros(len(labels), np.int64))
    return list(zip(times.tolist(), labels.tolist(), strict=True))


def followed(features: Columns, before: Labels, after: Labels) -> dict[str, NDArray[Any]]:
    """Return the features of the objects that a change of labels left.

    Each object takes the row of the object with which it has the most voxels in common (of the
    smaller number where two have as many); what comes of nothing, and what is gone, has no row.
    So numbers may change, objects may be cut, joined or linked through planes.

    Parameters
    ----------
    features : mapping of str to array
        Of the labels before.
    before, after : Labels
        Of one shape and order of axes, in memory or lazy.

    Returns
    -------
    dict of str to array
        Empty where the labels hold no objects any more.

    Examples
    --------
    >>> before = Labels(np.array([[5, 5, 0, 9, 9]]))
    >>> after = Labels(np.array([[0, 0, 0, 1, 2]]))
    >>> followed({"label": np.array([5, 9]), "score": np.array([0.3, 0.8])}, before, after)
    {'label': array([1, 2]), 'score': array([0.8, 0.8])}
    """
    if not features or after.holds != "objects":
        return {}
    if "T" not in before.axes:
        return _rows(features, before.data, after.data)
    times = range(before.size("T"))
    of_time = [{n: c[features["time"] == t] for n, c in features.items()} for t in times]
    stacks = [(before.take("T", t).data, after.take("T", t).data) for t in times]
    return concatenated([_rows(f, *both) for f, both in zip(of_time, stacks, strict=True)])


def _rows(features: Columns, before: Array, after: Array) -> dict[str, NDArray[Any]]:
    known = np.argsort(features["label"], kind="stable")
    numbers = np.asarray(features["label"])[known]
    pairs, voxels = overlaps(before, after)
    listed = (pairs[:, 1] > 0) & np.isin(pairs[:, 0], numbers)
    pairs, voxels = pairs[listed], voxels[listed]
    order = np.lexsort((pairs[:, 0], -voxels, pairs[:, 1]))
    labels, first = np.unique(pairs[order, 1], return_index=True)
    rows = known[np.searchsorted(numbers, pairs[order[first], 0])]
    columns = {name: column[rows] for name, column in features.items()}
    return {**columns, "label": labels}
