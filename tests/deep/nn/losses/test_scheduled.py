"""Losses whose weights change over the training."""

import math

import pytest
import torch

from napari_segment.deep.nn import losses as deep_losses
from napari_segment.errors import SettingError

# Four voxels with probabilities 1/2, 3/4, 1/4, 1/5; the first two are foreground.
LOGITS = torch.tensor([0.0, math.log(3), -math.log(3), -math.log(4)]).reshape(1, 1, 2, 2)

TARGET = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 2, 2)

TP, FP, FN, TN = 1.25, 0.45, 0.75, 1.55

CE = -(math.log(0.5) + math.log(0.75) + math.log(0.75) + math.log(0.8)) / 4

DICE = 1 - (2 * TP + 1) / (1.7 + 2 + 1)


def test_compound_is_the_weighted_sum_and_follows_its_schedule():
    loss = deep_losses.make(
        ("compound", {"parts": ["dice", "bce"], "weights": [1, 0], "final_weights": [0, 4]})
    )
    assert float(loss(LOGITS, TARGET)) == pytest.approx(DICE, abs=1e-5)
    loss.progress(0.25)
    assert float(loss(LOGITS, TARGET)) == pytest.approx(0.75 * DICE + CE, abs=1e-5)
    loss.progress(1.0)
    assert float(loss(LOGITS, TARGET)) == pytest.approx(4 * CE, abs=1e-5)
    assert not hasattr(loss, "maps")


def test_compound_hands_maps_and_progress_on():
    inner = {"name": "dice_boundary", "settings": {"initial_weight": 0, "final_weight": 1}}
    loss = deep_losses.multilabel(deep_losses.make(("compound", {"parts": [inner]})))
    maps = torch.from_numpy(loss.maps(TARGET[0].numpy()))[None]
    loss.progress(1.0)
    assert float(loss(LOGITS, TARGET, maps=maps)) == pytest.approx(-0.2, abs=1e-5)


def test_compound_counts_its_weights():
    with pytest.raises(SettingError, match="weights"):
        deep_losses.make(("compound", {"weights": [1, 2, 3]}))
    with pytest.raises(SettingError, match="at least one"):
        deep_losses.make(("compound", {"parts": []}))
