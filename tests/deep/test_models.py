"""Every model keeps the contract: any size in, raw logits of that size out."""

import pytest
import torch

from napari_segment.deep import models as deep_models
from napari_segment.errors import InputError, SettingError


def test_unet_takes_odd_sizes_of_any_channels():
    for ndim, size in ((2, (37, 50)), (3, (9, 21, 33))):
        for cin, cout in ((1, 1), (3, 4), (5, 2)):
            net = deep_models.build("unet", cin, cout, ndim)
            for mode in (True, False):
                net.train(mode)
                out = net(torch.zeros(1, cin, *size))
                assert out.shape == (1, cout, *size)
                assert out.dtype == torch.float32


def test_inputs_that_fit_are_not_padded():
    net = deep_models.build({"name": "unet", "settings": {"features": [4, 8, 16]}}, 1, 1, 2)
    assert net.stride == (4, 4)
    assert net.padded((8, 13)) == (8, 16)
    image = torch.rand(1, 1, 16, 16)
    net.eval()
    torch.testing.assert_close(net(image), net.net(image))


def test_the_wrong_dimensions_are_refused_in_words():
    with pytest.raises(SettingError, match="at least one channel"):
        deep_models.build("unet", 0, 1, 2)
    net = deep_models.build({"name": "unet", "settings": {"features": [4, 8]}}, 3, 1, 2)
    with pytest.raises(InputError, match="3 channels"):
        net(torch.zeros(1, 1, 8, 8))
