"""Trainings in a window: stopped, resumed, cancelled, and looked at beforehand."""

import pytest
from shared.windows import WAIT, layer_of, open_dock, press, run

from napari_segment import samples
from napari_segment.errors import InputError

pytestmark = pytest.mark.screen


@pytest.fixture
def training(viewer, tmp_path):
    """The Train dock with three small pairs and a small network."""
    for seed in range(3):
        image, truth = samples.nuclei((64, 64), seed=seed)
        mask = samples.as_mask(truth).replace(name=f"mask {seed}")
        viewer.add_layer(layer_of(image.replace(name=f"nuclei {seed}")))
        viewer.add_layer(layer_of(mask))
    dock = open_dock(viewer, "Train")
    dock.pairs.add_row()
    dock.pairs.add_row()
    model = {"name": "unet", "settings": {"features": (4, 8)}}
    dock.form.settings = {"epochs": 100, "out": tmp_path / "net", "model": model, "device": "cpu"}
    dock.more.settings = {"steps": 3, "patch": (32, 32), "batch": 2, "workers": 0}
    return dock


def epochs_of(folder):
    return len((folder / "curves.csv").read_text().splitlines()) - 1


@pytest.mark.slow
def test_a_training_is_stopped_and_goes_on(qtbot, training, tmp_path):
    folder = tmp_path / "net"
    assert not training.stop_button.isEnabled()
    press(qtbot, training.running.button)
    qtbot.waitUntil(lambda: "dice" in training.scores.points, timeout=WAIT)
    press(qtbot, training.stop_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert "The network is in" in training.running.message.text()
    assert not training.stop_button.isEnabled()
    done = epochs_of(folder)
    assert 1 <= done < 100
    training.form.settings = {"resume": True, "epochs": done + 2}
    assert "The network is in" in run(qtbot, training)
    assert epochs_of(folder) == done + 2


@pytest.mark.slow
def test_a_training_is_cancelled(qtbot, training, tmp_path):
    press(qtbot, training.running.button)
    qtbot.waitUntil(lambda: "loss" in training.losses.points, timeout=WAIT)
    press(qtbot, training.running.cancel_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert training.running.message.text() == "Cancelled."
    assert training.running.button.isEnabled()
    assert not training.stop_button.isEnabled()


@pytest.mark.slow
def test_a_look_before_training_then_a_network_for_each_fold(qtbot, viewer, training, tmp_path):
    press(qtbot, training.augment_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert training.sheets["augmentation"].isVisible()
    press(qtbot, training.network_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert "parameters" in training.running.message.text()
    assert training.sheets["network"].isVisible()
    assert training.losses.isHidden()  # nothing was trained yet
    training.cross_box.setChecked(True)
    training.form.settings = {"epochs": 1}
    training.more.settings = {"folds": 3}
    assert "The 3 networks reach on average" in run(qtbot, training)
    field = open_dock(viewer, "Predict").method.form.fields["checkpoint"]
    offered = [field.menu.itemData(i) for i in range(field.menu.count())]
    assert offered[:3] == [str(tmp_path / "net" / f"fold_{i}") for i in range(3)]
    for sheet in training.sheets.values():
        sheet.close()


def test_three_questions_and_what_is_wrong_with_the_pairs(qtbot, viewer, training):
    assert "3 pairs" in training.proposal.text()
    assert not training.form.native.isVisible()
    press(qtbot, training.check_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert training.report.isVisible()
    assert training.report.text()
    training.form.settings = {"model": {"name": "mask_rcnn"}}
    assert "its own loss" in training.proposal.text()
    assert training.form.fields["loss"].native.isHidden()
    training.form.settings = {"model": {"name": "unet"}}
    assert not training.form.fields["loss"].native.isHidden()


def test_a_data_set_in_a_known_layout_is_trained_on_as_a_folder(training, tmp_path):
    training.pairs.where.setCurrentText("a data set")
    with pytest.raises(InputError, match="Choose the folder of the data set"):
        training.pairs.snapshot()
    training.pairs.data_set.value = tmp_path
    assert training.pairs.snapshot() == {"folder": str(tmp_path), "layout": "auto"}
    assert "the folders" in training.proposal.text()
