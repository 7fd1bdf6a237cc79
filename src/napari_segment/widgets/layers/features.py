"""Tables of features as napari's Labels layers show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import Labels

if TYPE_CHECKING:
    import pandas as pd
    from napari.layers import Labels as LabelsLayer

_MOST_ROWS = 1_000_000  # of a features table with a row for every number up to the largest


def named_features(labels: Labels) -> pd.DataFrame:
    """Return class names as a features table."""
    import pandas as pd

    rows = range(max(labels.names) + 1)
    names = [labels.names.get(number, "") for number in rows]
    return pd.DataFrame({"index": rows, "name": names})


def one_row_each(features: Mapping[str, Any]) -> Any:
    """Return the features as a table by label; None where a label has several rows."""
    import pandas as pd

    table = pd.DataFrame(dict(features))
    if table.empty or table["label"].duplicated().any():
        return None
    return table


def features_of(table: pd.DataFrame, label: str = "label") -> pd.DataFrame:
    """Return a table with a row for each label as napari wants it: row n describes label n.

    The status bar looks labels up in the column ``index``, the features table by row number;
    rows that no label has are empty. Of labels beyond a million only those are listed that exist.
    """
    import pandas as pd

    largest = int(table[label].max()) if len(table) else 0
    rows = list(range(largest + 1)) if largest < _MOST_ROWS else [0, *sorted(table[label])]
    whole = table.set_index(label).reindex(rows)
    whole.insert(0, "index", rows)
    return pd.DataFrame(whole).reset_index(drop=True)


def add_features(layer: LabelsLayer, features: Mapping[str, Any]) -> None:
    """Give the labels of a layer further features; others that it has stay."""
    import pandas as pd

    table, known = features_of(pd.DataFrame(dict(features))), layer.features
    if "index" in known:
        further = [c for c in known if c not in table or c == "index"]
        table = table.merge(known[further], on="index", how="left")
    layer.features = table


def table_of(layer: LabelsLayer) -> dict[str, NDArray[Any]]:
    """Return a layer's features as columns by label, without rows that say nothing."""
    table = layer.features
    if table.empty:
        return {}
    numbers = table["index"] if "index" in table else table.index.to_series()
    values = table.drop(columns=["index", "label"], errors="ignore")
    rows = (numbers.to_numpy() > 0) & values.notna().any(axis=1).to_numpy()
    columns = {"label": numbers.to_numpy()[rows].astype(np.int64)}
    for name in values:
        column = values[name].to_numpy()[rows]
        columns[str(name)] = column.astype(str) if column.dtype == object else column
    return columns if len(values.columns) else {}
