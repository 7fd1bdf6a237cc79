"""Mirrored networks and ensembles against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_segment.deep.inference import Disagreement, predict
from napari_segment.deep.inference.decoding import Channels
from napari_segment.deep.inference.networks.composite_torch import (
    Ensemble,
    EnsembleStatistics,
    MirroredNetwork,
)
from napari_segment.step import run


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(1, 30, 41, 50)).astype(np.float32)


def test_flips_make_a_network_indifferent_to_mirroring(image):
    torch.manual_seed(1)
    network = MirroredNetwork(torch.nn.Conv3d(1, 2, 3, padding=1), (-3, -2, -1)).eval()
    block = torch.from_numpy(image)[None]
    with torch.no_grad():
        there = network(block.flip(-1)).flip(-1)
        assert torch.allclose(network(block), there, atol=1e-5)


def test_members_that_agree_do_not_disagree(image):
    same = torch.nn.Conv3d(1, 2, 1)
    other = torch.nn.Conv3d(1, 2, 1)
    torch.nn.init.constant_(other.weight, 5.0)

    def disagreement(*networks):
        members = EnsembleStatistics(networks, "softmax").eval()
        decode = Channels(Disagreement("softmax"), slice(2, None))
        return run(predict(members, image, tile=(16, 24, 24), decode=decode))

    assert disagreement(same, same).max() < 1e-5
    assert disagreement(same, other).max() > 0.1


def test_an_ensemble_is_the_mean(image):
    networks = [torch.nn.Conv3d(1, 2, 1) for _ in range(3)]
    block = torch.from_numpy(image)[None]
    with torch.no_grad():
        want = sum(n(block) for n in networks) / 3
        assert torch.allclose(Ensemble(networks)(block), want, atol=1e-6)
