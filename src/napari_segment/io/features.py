"""What is known of each object, in a table beside its labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.io.names import features_path


def read_features(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read the columns of ``<stem>.features.csv`` beside labels.

    Parameters
    ----------
    path : str or Path
        Of the labels.

    Returns
    -------
    dict of str to array (N,)
        Numbers and words; empty where there is no such table, or one of something else, without
        a column ``label``.

    Raises
    ------
    FormatError
        If the table cannot be read.
    """
    file = features_path(path)
    if not file.is_file():
        return {}
    import pandas as pd

    try:
        table = pd.read_csv(file)
    except (ValueError, OSError) as error:  # those of the parser are ValueErrors
        raise FormatError(f"Cannot read the features in {file.name}: {error}") from None
    if "label" not in table:
        return {}
    return {str(name): _column(table[name]) for name in table}


def _column(values: Any) -> NDArray[Any]:
    if values.dtype.kind in "iufb":
        return np.asarray(values)
    return values.fillna("").to_numpy(str)  # type: ignore[no-any-return]
