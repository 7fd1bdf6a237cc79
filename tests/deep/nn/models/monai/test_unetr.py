"""UNETR for any size."""

import torch

from napari_segment.deep.nn import models as deep_models

# Settings that make each network small; the contract is the same.


def test_unetr_is_monai_s_at_its_size():
    from monai.networks.nets import UNETR

    net = deep_models.build(("unetr", {"size": 32, "features": 4, "hidden": 48}), 1, 2, 2).eval()
    image = torch.rand(1, 1, 32, 32)
    torch.testing.assert_close(net(image), UNETR.forward(net.net, image))
