"""Schedules, the moving average of weights, and targets of the loss."""

import numpy as np
import pytest
import torch
from shared.trainings import discs, losses_of, short

from napari_segment.deep.training.optimisation.optimizers_torch import Average, one_hot, rate


@pytest.mark.parametrize("schedule", ["cosine", "poly", "one_cycle", "constant"])
def test_rates_rise_and_stay_in_range(schedule):
    rates = [rate(schedule, p, 0.1) for p in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(0.01)
    assert max(rates) <= 1
    assert rates[20] > rates[0]
    assert schedule == "constant" or rates[-1] < 0.01


def test_the_average_by_hand():
    network = torch.nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        network.weight.fill_(0.0)
        average = Average(network, 0.9)
        network.weight.fill_(11.0)
    average.update(network)  # (1 + 1) / (10 + 1) of the old is kept
    assert average.weights["weight"].item() == pytest.approx(9.0)


def test_one_hot_marks_unlabelled_voxels_in_every_channel():
    target = torch.tensor([[[0, 2, -1]]], dtype=torch.int16)
    assert one_hot(target, 3)[0].tolist() == [[1, 0, -1], [0, 0, -1], [0, 1, -1]]
    assert one_hot(target, 1)[0].tolist() == [[0, 1, -1]]


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("schedule", ["poly", "one_cycle", "plateau", "constant"])
def test_every_optimiser_with_every_schedule(tmp_path, optimizer, schedule):
    steps, _ = short(
        discs(3), tmp_path, epochs=1, steps=2, optimizer=optimizer, schedule=schedule, accumulate=2
    )
    assert np.isfinite(losses_of(steps)).all()
