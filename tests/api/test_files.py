"""Writing what the verbs give."""

import pandas as pd
import pytest

from napari_segment import write
from napari_segment.errors import FormatError

TABLE = pd.DataFrame({"label": [1, 2]})


def test_tables_need_a_name_of_tables(tmp_path):
    with pytest.raises(FormatError, match=r"f\.tif: end it with \.csv"):
        write(TABLE, tmp_path / "f.tif")
    assert not (tmp_path / "f.tif").exists()
    assert write(TABLE, tmp_path / "new" / "F.CSV").read_text() == "label\n1\n2\n"
