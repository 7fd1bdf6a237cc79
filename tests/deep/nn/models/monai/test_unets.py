"""U-Nets of MONAI."""

import pytest
import torch

from napari_segment.deep.nn import models as deep_models
from napari_segment.errors import SettingError


def test_kernels_follow_the_spacing():
    from napari_segment.deep.nn.models.monai._plan import plan

    flat = plan((20, 320, 256), (3.6, 0.62, 0.62))  # as nnU-Net plans the prostate task
    assert flat.kernels[:3] == ((1, 3, 3), (1, 3, 3), (3, 3, 3))
    assert flat.strides[:3] == ((1, 1, 1), (1, 2, 2), (1, 2, 2))
    assert flat.total[0] == 4
    cube = plan((128, 128, 128), (1, 1, 1))
    assert cube.strides == ((1, 1, 1), *((2, 2, 2),) * 5)
    assert len(plan((4, 4), (1, 1)).strides) == 3


def test_dyn_unet_takes_its_plan():
    settings = {"features": 4, "spacing": [4, 1, 1], "patch": [8, 32, 32]}
    net = deep_models.build(("dyn_unet", settings), 1, 2, 3)
    assert net.stride == (2, 8, 8)
    assert net.train()(torch.zeros(1, 1, 5, 30, 33))[0].shape == (1, 2, 5, 30, 33)
    with pytest.raises(SettingError, match="spacing"):
        deep_models.build(("dyn_unet", {"spacing": [1, 1]}), 1, 2, 3)
