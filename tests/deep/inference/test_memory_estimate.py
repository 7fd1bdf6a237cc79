"""Memory that a network will take."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_segment.deep.inference import predict
from napari_segment.deep.inference.memory_estimate import estimate, format_bytes
from napari_segment.deep.inference.tiling import Grid
from napari_segment.deep.nn import models
from napari_segment.step import run


def test_the_memory_of_a_convolution_is_estimated():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 8, 3, padding=1), torch.nn.Conv2d(8, 2, 1))
    estimated = estimate(network, Grid((200, 100), (50, 50)), 1, values=1)
    assert estimated.channels == 2
    assert estimated.weights == 4 * (8 * 9 + 8 + 16 + 2)
    # Input, eight features and the two outputs live together, besides three tiles being read.
    assert estimated.network >= 4 * 2500 * (8 + 2 + 3)
    assert estimated.blending == 4 * 2500 + 2 * 4 * 50 * 100
    assert estimated.result == 200 * 100
    assert "MB" in str(estimated) or "kB" in str(estimated)


@pytest.mark.parametrize("name", ["unet", "dyn_unet"])
def test_the_weights_stay_where_they_are_when_memory_is_estimated(name):
    """Of a network in which modules are used several times too."""
    small = {"unet": {"features": [4, 8]}, "dyn_unet": {"features": 4}}
    network = models.build((name, small[name]), 1, 2, 2).eval()
    estimated = estimate(network, Grid((64, 64), (32, 32)), 1, values=1)
    assert estimated.channels == 2
    assert {p.device.type for p in network.parameters()} == {"cpu"}
    plane = np.zeros((1, 64, 64), np.float32)
    assert run(predict(network, plane, tile=(32, 32))).shape == (64, 64)


def test_sizes_are_readable():
    assert [format_bytes(n) for n in (1, 1500, 2_000_000, 3 * 10**9)] == [
        "1 B",
        "1.5 kB",
        "2 MB",
        "3 GB",
    ]
