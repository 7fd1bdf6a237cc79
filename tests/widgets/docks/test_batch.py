"""The Batch dock in a window: the files of a folder, one of them damaged."""

import json
import time

import numpy as np
import pytest
from shared.windows import WAIT, layer_of, open_dock, press, run

from napari_segment import api, samples
from napari_segment.cli import main

pytestmark = pytest.mark.screen


@pytest.fixture
def folder(tmp_path):
    """Three images, and a file that is none."""
    made = tmp_path / "images"
    made.mkdir()
    for seed in range(3):
        api.write(samples.nuclei((48, 48), seed=seed)[0], made / f"nuclei_{seed}.tif")
    (made / "nuclei_damaged.tif").write_bytes(b"II*\0no more")
    api.write(samples.nuclei((48, 48), seed=9)[0], made / "other.tif")
    return made


@pytest.fixture
def dock(qtbot, viewer, folder, tmp_path):
    """The dock, to do with the folder what was done with one image."""
    viewer.add_layer(layer_of(samples.nuclei((48, 48))[0]))
    threshold = open_dock(viewer, "Threshold")
    threshold.cleanups.add("connected_components")
    run(qtbot, threshold)
    made = open_dock(viewer, "Batch")
    made.folder.value, made.output.value = folder, tmp_path / "results"
    made.pattern.setText("nuclei_*.tif")
    return made


def test_files_are_segmented_as_on_the_command_line_and_one_failure_ends_nothing(
    qtbot, viewer, dock, folder, tmp_path
):
    text = run(qtbot, dock)
    assert "3 done, 1 failed. The report is" in text
    rows = {dock.table.item(i, 0).text(): dock.table.item(i, 1).text() for i in range(4)}
    assert rows["nuclei_0.tif"].endswith(" objects")
    assert "nuclei_damaged.tif" in rows
    report = json.loads((tmp_path / "results" / "report.json").read_text())
    assert [row["status"] for row in report].count("failed") == 1
    recipe = tmp_path / "recipe.yaml"
    dock.recipe().save(recipe)
    one = tmp_path / "one.tif"
    assert main(["replay", str(recipe), str(folder / "nuclei_1.tif"), "-o", str(one)]) == 0
    shown = api.as_labels(tmp_path / "results" / "nuclei_1.tif")
    np.testing.assert_array_equal(shown.data, api.as_labels(one).data)
    before = len(viewer.layers)
    dock.open([row["input"].endswith("nuclei_1.tif") for row in dock.rows].index(True))
    image, labels = viewer.layers[before:]
    np.testing.assert_array_equal(labels.data, shown.data)
    assert image.data.shape == (48, 48)
    assert "3 skipped, 1 failed" in run(qtbot, dock)


def test_a_paused_run_waits_and_goes_on(qtbot, dock):
    press(qtbot, dock.running.button)
    press(qtbot, dock.pause_button)
    assert dock.pause_button.text() == "Go on"
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        qtbot.wait(50)
    assert dock.running.job is not None
    press(qtbot, dock.pause_button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
    assert "3 done" in dock.running.message.text()


def test_what_is_missing_is_said(qtbot, viewer, tmp_path):
    dock = open_dock(viewer, "Batch")
    press(qtbot, dock.running.button)
    assert "There is no result in this window" in dock.running.message.text()
    api.recipe_of("otsu").save(tmp_path / "otsu.yaml")
    dock.what.setCurrentText("a recipe file")
    dock.recipe_file.value = tmp_path / "otsu.yaml"
    press(qtbot, dock.running.button)
    assert "Choose the folder of the files" in dock.running.message.text()
    dock.folder.value = dock.output.value = tmp_path
    press(qtbot, dock.running.button)
    assert "Choose another folder" in dock.running.message.text()
