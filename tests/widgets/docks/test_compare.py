"""The Compare and Measure docks in a window."""

import numpy as np
import pytest
from shared.windows import layer_of, open_dock, run

from napari_segment import api, samples

pytestmark = pytest.mark.screen


def test_measure_and_compare(qtbot, viewer, tmp_path):
    image, truth = samples.nuclei((96, 96))
    viewer.add_layer(layer_of(image))
    layer = viewer.add_layer(layer_of(truth))
    other = viewer.add_labels(np.asarray(truth.data), name="same", scale=truth.spacing)
    dock = open_dock(viewer, "Measure")
    dock.labels.layer = layer
    run(qtbot, dock)
    expected = api.measure(truth)
    assert len(dock.table) == len(expected)
    assert layer.features["index"].tolist() == list(range(int(expected["label"].max()) + 1))
    dock.save(tmp_path / "table.csv")
    assert "label" in (tmp_path / "table.csv").read_text().splitlines()[0]
    dock = open_dock(viewer, "Compare")
    dock.result.layer, dock.reference.layer = layer, other
    run(qtbot, dock)
    assert dock.scores
    assert dock.report.text() == str(api.compare(truth, truth))
    dock.ignore_index.setText("1")
    run(qtbot, dock)
    assert dock.report.text() == str(api.compare(truth, truth, ignore_index=1))
    assert "without annotation" in dock.report.text()
