"""Review: the objects of labels in the order in which a person should look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import InputError
from napari_segment.image import Labels

if TYPE_CHECKING:
    import pandas as pd

_LIMIT = 3.5  # robust deviations from which on a value is an outlier (Iglewicz and Hoaglin 1993)
_CERTAIN = 2 * _LIMIT  # deviations at which nothing more can be said
_AT_BORDER = 0.25  # how doubtful an object is that the border cuts
_LOW = 0.5  # score below which it is a reason


def review(labels: Labels) -> pd.DataFrame:
    """Order objects by how doubtful they are.

    Parameters
    ----------
    labels : Labels
        Objects, in memory or lazy.

    Returns
    -------
    DataFrame
        A row for each object (and time point), the most doubtful first: ``label``, ``time`` with
        a time axis, ``doubt`` from 0 to 1, ``reasons`` in words, and its centre in voxels.

    Raises
    ------
    InputError
        If the labels hold classes or a mask.

    References
    ----------
    B. Iglewicz, D. C. Hoaglin, How to Detect and Handle Outliers, ASQC Quality Press (1993).
    """
    from napari_segment.results.measure import measure

    if labels.holds != "objects":
        raise InputError(
            f"A review goes from object to object, but these labels hold {labels.holds}. Find the "
            "objects first, such as by the cleanup 'connected_components'."
        )
    table = measure(labels, None, properties="basic")
    doubts, reasons = _doubts(table, labels)
    order = np.lexsort((table["label"], -doubts.max(1, initial=0.0)))
    columns = [n for n in map(str, table) if n in ("label", "time") or _is_centre(n)]
    listed = table[columns].assign(doubt=np.round(doubts.max(1, initial=0.0), 3), reasons=reasons)
    return listed.iloc[order].reset_index(drop=True)


def _is_centre(name: str) -> bool:
    return name.startswith("centroid_") and "world" not in name


def _doubts(table: pd.DataFrame, labels: Labels) -> tuple[NDArray[np.float64], list[str]]:
    """Return how doubtful each object is in each respect (N, R), and why."""
    axes = labels.spatial_axes.lower()
    sides = np.stack([table[f"bbox_{a}_stop"] - table[f"bbox_{a}_start"] for a in axes], 1)
    size = table["volume" if len(axes) == 3 else "area"].to_numpy(float)
    lengths = sides * np.asarray(labels.spacing)
    sizes = _deviations(np.log(size))
    filled = _deviations(size / lengths.prod(1))
    longer = _deviations(np.log(lengths.max(1) / lengths.min(1)))
    border = _border(table, labels, axes)
    score = _scores(table, labels)
    doubts: list[NDArray[Any]] = [np.abs(sizes), np.maximum(-filled, 0), np.maximum(longer, 0)]
    share = np.where(border, 0.5, 1.0) / _CERTAIN  # what the border cuts is no whole shape
    doubts = [*(doubt * share for doubt in doubts), border * _AT_BORDER, 1 - score]
    reasons = {
        "large": sizes > _LIMIT, "small": sizes < -_LIMIT, "irregular": filled < -_LIMIT,
        "elongated": longer > _LIMIT, "at the border": border, "low score": score < _LOW,
    }  # fmt: skip
    texts = [
        ", ".join(name for name, holds in reasons.items() if holds[i]) for i in range(len(table))
    ]
    return np.clip(np.stack(doubts, 1), 0, 1), texts


def _deviations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return robust standard scores: from the median, in median absolute deviations."""
    if not len(values):
        return values
    offset = values - np.median(values)
    spread = np.median(np.abs(offset)) / 0.6745
    if not spread:
        spread = np.abs(offset).mean() * 1.2533  # where more than half are equal
    return np.asarray(offset / spread if spread else offset * 0.0)


def _border(table: pd.DataFrame, labels: Labels, axes: str) -> NDArray[np.bool_]:
    """Whether each object touches the border of the image."""
    touches: NDArray[np.bool_] = np.zeros(len(table), bool)
    for axis in axes:
        touches |= (table[f"bbox_{axis}_start"] == 0).to_numpy()
        touches |= (table[f"bbox_{axis}_stop"] == labels.size(axis.upper())).to_numpy()
    return touches


def _scores(table: pd.DataFrame, labels: Labels) -> NDArray[np.float64]:
    """Return the score of each object among the features; 1 where none is known."""
    features: dict[str, Any] = dict(labels.features)
    if "score" not in features:
        return np.ones(len(table))
    import pandas as pd

    keys = ["label", "time"] if "time" in table and "time" in features else ["label"]
    known = pd.DataFrame({name: features[name] for name in (*keys, "score")})
    known = known.drop_duplicates(keys)
    scores = table[keys].merge(known, "left", keys)["score"].to_numpy(float)
    return np.asarray(np.clip(np.nan_to_num(scores, nan=1.0), 0, 1))
