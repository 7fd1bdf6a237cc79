"""The dock that checks a data set, shows a case of a finding, and writes another layout."""

import json

import numpy as np
import pytest
from qtpy.QtCore import Qt
from shared.windows import WAIT, open_dock, press, run

from napari_segment import Image, Labels, io
from napari_segment.io.datasets.pairs import Pairs

pytestmark = pytest.mark.screen


@pytest.fixture
def folders(tmp_path):
    """Three pairs; the labels of the second are empty."""
    rng = np.random.default_rng(0)
    for number in range(3):
        labels = np.zeros((12, 14), np.uint8)
        labels[2:6, 3:9] = number != 1
        pixels = rng.integers(1, 255, (12, 14)).astype(np.uint8)
        geometry = ((0.5, 0.25), "micrometer")
        io.write(Image(pixels, "YX", *geometry), tmp_path / f"images/{number}.tif")
        io.write(Labels(labels, "YX", *geometry), tmp_path / f"labels/{number}.tif")
    return tmp_path


@pytest.fixture
def dock(viewer, folders):
    dock = open_dock(viewer, "Data set")
    dock.images.line.setText(str(folders / "images"))
    dock.labels.line.setText(str(folders / "labels"))
    return dock


def test_findings_are_listed_and_saved(qtbot, dock, folders):
    assert "1 warning" in run(qtbot, dock)
    texts = [dock.findings.item(i).text() for i in range(dock.findings.count())]
    assert any("1: its labels are empty" in text for text in texts)
    dock.save(folders / "report.json")
    saved = json.loads((folders / "report.json").read_text())
    assert [f["message"] for f in saved] == texts
    assert dock.save_button.isEnabled()


def test_a_double_click_shows_the_case(qtbot, dock):
    run(qtbot, dock)
    row = next(i for i in range(dock.findings.count()) if "empty" in dock.findings.item(i).text())
    spot = dock.findings.visualItemRect(dock.findings.item(row)).center()
    qtbot.mouseClick(dock.findings.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseDClick(dock.findings.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.waitUntil(lambda: len(dock.viewer.layers) == 2, timeout=WAIT)
    image, labels = dock.viewer.layers
    assert tuple(image.scale) == tuple(labels.scale) == (0.5, 0.25)
    assert not labels.data.any()


def test_it_is_written_in_another_layout_and_opened_again(qtbot, dock, folders):
    dock.target_menu.setCurrentText("coco")
    dock.output.line.setText(str(folders / "new"))
    press(qtbot, dock.convert_button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
    assert "Written to" in dock.running.message.text()
    assert len(Pairs.of(folders / "new")) == 3
    dock.layout_menu.setCurrentIndex(dock.layout_menu.findData("coco"))
    assert not dock.images.native.isVisibleTo(dock)
    dock.folder.line.setText(str(folders / "new"))
    run(qtbot, dock)
    assert dock.findings.count() > 0
    press(qtbot, dock.convert_button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
    assert "holds files" in dock.running.message.text()


def test_what_is_missing_is_said(qtbot, viewer):
    dock = open_dock(viewer, "Data set")
    assert "Choose the folder of the images" in run(qtbot, dock)
    dock.layout_menu.setCurrentIndex(1)
    assert "Choose the folder of the data set" in run(qtbot, dock)
