"""The U-Net of the paper."""

from napari_segment.deep.nn import models as deep_models


def test_textbook_unet_has_the_paper_s_parameters():
    net = deep_models.build(
        ("textbook_unet", {"features": 64, "norm": "none", "dropout": 0}), 1, 2, 2
    )
    assert sum(p.numel() for p in net.parameters()) == 31_030_658
