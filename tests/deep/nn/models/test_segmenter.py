"""The wrapper of every network."""

import pytest
import torch

from napari_segment.deep.nn import models as deep_models
from napari_segment.registry import models

# Settings that make each network small; the contract is the same.


def test_inputs_that_fit_are_not_padded():
    net = deep_models.build(("unet", {"features": [4, 8, 16]}), 1, 1, 2).eval()
    assert net.stride == (4, 4)
    assert net.padded((8, 13)) == (8, 16)
    image = torch.rand(1, 1, 16, 16)
    torch.testing.assert_close(net(image), net.net(image))


def test_a_model_that_says_nothing_gets_its_input_as_it_is():
    before = models.snapshot()
    try:

        @models.add("third_party_point", title="One convolution")
        def point(channels_in, channels_out, ndim):
            """A convolution of single voxels."""
            layer = torch.nn.Conv2d if ndim == 2 else torch.nn.Conv3d
            return layer(channels_in, channels_out, 1)

        net = deep_models.build("third_party_point", 2, 3, 2)
        assert net(torch.zeros(1, 2, 5, 7)).shape == (1, 3, 5, 7)
        assert net.padded((5, 7)) == (5, 7)
    finally:
        models.restore(before)


def test_deep_supervision_is_a_weighted_mean():
    net = deep_models.build(("unet", {"features": [4, 8, 16]}), 1, 1, 2)
    parts = [torch.full((1, 1, 2, 2), v) for v in (1.0, 2.0, 4.0)]
    value = net.supervise(parts, parts[0], lambda logits, target: logits.mean())
    assert float(value) == pytest.approx((1 + 2 / 2 + 4 / 4) / (1 + 1 / 2 + 1 / 4))


def test_a_frozen_encoder_learns_again_once_unfrozen():
    settings = {"encoder": "resnet18", "frozen_epochs": 2}
    net = deep_models.build(("linknet", settings), 1, 1, 2)
    assert net.frozen_epochs == 2
    encoder = net.net.encoder
    assert not any(p.requires_grad for p in encoder.parameters())
    net.train()
    assert not encoder.training
    assert net.net.decoder.training
    net.freeze(False)
    assert all(p.requires_grad for p in encoder.parameters())
    assert net.train().net.encoder.training
