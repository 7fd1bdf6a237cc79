"""The Compare and Measure docks in a window."""

import gc

import numpy as np
import pytest
from qtpy.QtCore import Qt
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


def test_errors_are_shown_and_gone_to(qtbot, viewer):
    reference = np.zeros((5, 40, 60), np.int32)
    reference[1, 2:8, 2:8], reference[3, 20:30, 40:50], reference[4, 2:6, 2:6] = 1, 2, 3
    labels = np.where(reference == 1, 4, 0)
    labels[2, 10:14, 50:54] = 9
    scale = (2, 0.5, 0.5)
    truth = viewer.add_labels(reference, name="truth", scale=scale)
    result = viewer.add_labels(labels, name="result", scale=scale)
    dock = open_dock(viewer, "Compare")
    assert (dock.result.layer.name, dock.reference.layer.name) == ("result", "truth")
    message = run(qtbot, dock)
    assert message.startswith("1 matched, 1 false positive, 2 missed, ")
    layer = viewer.layers["errors"]
    np.testing.assert_array_equal(layer.data, api.error_map(labels, reference).data)
    np.testing.assert_array_equal(layer.scale, scale)
    names = layer.features.set_index("index")["name"]
    assert {n: names[n] for n in np.unique(layer.data) if n} == {
        1: "true positive", 2: "false positive", 3: "missed",
    }  # fmt: skip
    colors = {tuple(layer.colormap.map(n)) for n in (1, 2, 3, 4, 5)}
    assert len(colors) == 5
    dock.tabs.setCurrentWidget(dock.objects)
    gc.collect()  # of what nothing but the dock refers to
    rows = dock.objects.contents.rows
    at = next(i for i, row in enumerate(rows) if row["reference"] == 2)
    spot = dock.objects.visualRect(dock.objects.model().index(at, 0)).center()
    qtbot.mouseClick(dock.objects.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert viewer.dims.point[0] == 6.0
    assert viewer.scene.camera.center[1:] == pytest.approx((12.25, 22.25))
    assert "missed" in layer.get_status((6, 12, 22), world=True)["value"]
    at = next(i for i, row in enumerate(rows) if row["label"] == 9)
    dock.go_to_row(rows[at])
    assert viewer.dims.point[0] == 4.0
    run(qtbot, dock)
    assert [la.name for la in viewer.layers] == ["truth", "result", "errors"]  # instead of the last
    assert dock.reference.layer.name == "truth"
    for layer in (truth, result):
        layer.metadata = {"napari-segment": {"holds": "mask"}}
    assert run(qtbot, dock).startswith("Mean Dice 0.353, ")  # 2·36 / (52 + 152)
    assert not dock.tabs.isTabEnabled(dock.tabs.indexOf(dock.objects))
    dock.errors_box.setChecked(False)
    viewer.layers.remove(truth)
    dock.go_to_row(rows[at - 1] if rows[at - 1]["of"] == "reference" else rows[at + 1])
    assert "no longer" in dock.running.message.text()
