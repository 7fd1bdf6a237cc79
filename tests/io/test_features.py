"""Tables of features are read as they were written, and hold no formulas."""

import numpy as np
import pandas as pd
import pytest

from napari_segment import api, io
from napari_segment.image import Labels


@pytest.fixture
def labels():
    return Labels(np.ones((5, 5), np.uint8), "YX", holds="classes", names={1: "=1+1"})


@pytest.mark.parametrize("text", ["=1+1", "+A1", "-2+3", "@SUM(A1)", "\t=1"])
def test_no_formulas_in_tables(tmp_path, text):
    table = pd.DataFrame({"label": [1, 2], "name": [text, "plain"], "size": [-1.5, 2.0]})
    lines = api.write(table, tmp_path / "t.csv").read_text("utf-8").splitlines()
    assert lines[1].split(",")[1].strip('"').startswith("'")
    assert lines[2] == "2,plain,2.0"
    assert "-1.5" in lines[1]


@pytest.mark.parametrize("text", ["=1+1", "-left", "plain", "'quoted'"])
def test_features_come_back(tmp_path, text):
    labels = Labels(np.eye(5, dtype=np.uint8), "YX", holds="objects")
    labels = labels.replace(features={"label": np.array([1]), "class": np.array([text])})
    api.write(labels, tmp_path / "l.tif")
    assert io.read_labels(tmp_path / "l.tif").features["class"].tolist() == [text]
