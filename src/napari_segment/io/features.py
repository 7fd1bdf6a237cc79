"""Read and write what is known of each object, in a table next to its labels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.io.boundary import reading
from napari_segment.io.names import features_path

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for one at the start of text
_ESCAPED = r"^'(?=[=+\-@\t\r])"


def read_features(path: str | Path) -> dict[str, NDArray[Any]]:
    """Read the columns of ``<stem>.features.csv`` next to labels.

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

    with reading(file, "a table of features"):
        table = pd.read_csv(file)
        if "label" not in table:
            return {}
        return {re.sub(_ESCAPED, "", str(name)): _column(table[name]) for name in table}


def _column(values: pd.Series[Any]) -> NDArray[Any]:
    if values.dtype.kind in "iufb":
        return np.asarray(values)
    plain = values.fillna("").astype(str)
    return plain.str.replace(_ESCAPED, "", regex=True).to_numpy(str)


def without_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table in which no text is a formula to a spreadsheet: such text gets a quote.

    Parameters
    ----------
    table : DataFrame
        Numbers stay as they are.

    Returns
    -------
    DataFrame
    """
    plain = table.rename(columns=_quoted)
    for position, kind in enumerate(plain.dtypes):
        if kind.kind not in "iufb":
            plain.isetitem(position, plain.iloc[:, position].map(_quoted).array)
    return plain


def _quoted(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
