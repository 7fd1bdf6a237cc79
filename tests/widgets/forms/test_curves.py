"""Curves of a training grow, and begin again where they go back."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_segment.step import Step
from napari_segment.widgets.forms.curves import Curves


class Theme:
    theme = "dark"


def test_curves_grow_and_begin_again(qapp):
    curves = Curves(Theme(), "loss")
    for x in (1, 2, 3):
        curves.add(x, {"loss": 1 / x, "other": np.nan})
    assert curves.points == {"loss": [(1, 1), (2, 0.5), (3, 1 / 3)]}
    curves.add(1, {"loss": 0.3})
    assert curves.points == {"loss": [(1, 0.3)]}
    assert not curves.grab().isNull()


@pytest.mark.screen
def test_the_last_message_of_a_training_is_no_point(qapp):
    import napari

    from napari_segment.widgets.docks.train import Train

    viewer = napari.Viewer(show=False)
    dock = Train(viewer)
    dock.running.job = SimpleNamespace(verb="train")
    dock._step(Step(1, 4, "", {"loss": 0.9}))
    dock._step(Step(2, 4, "", {"epoch": 1, "loss": 0.8, "dice": 0.5}))
    dock._step(Step(1, 1, "best after epoch 1", {"dice": 0.7}))
    assert dock.scores.points == {"dice": [(2, 0.5)]}
    assert dock.losses.points == {"loss": [(1, 0.9)]}
    assert dock.hint.isHidden()
    dock.running.job = None
    viewer.close()
