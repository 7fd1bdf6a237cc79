"""FastFCN and its heads."""

import pytest
import torch
from shared.networks import check_network


def multiply_adds(net, *inputs):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        net(*inputs)
    return counter.get_total_flops() / 2


def test_joint_pyramid_gives_the_dilated_size_for_a_fraction():
    from segmentation_models_pytorch.encoders import get_encoder

    from napari_segment.deep.nn.models._fastfcn import JointPyramidUpsampling

    with torch.device("meta"):
        image = torch.empty(1, 3, 512, 512)
        plain = get_encoder("resnet50", weights=None).eval()
        dilated = get_encoder("resnet50", weights=None, output_stride=8).eval()
        pyramid = JointPyramidUpsampling(plain.out_channels[-3:], 256).eval()

        def joint(image):
            return pyramid(plain(image)[-3:])

        assert joint(image).shape[2:] == dilated(image)[-1].shape[2:] == (64, 64)
        assert multiply_adds(joint, image) < 0.6 * multiply_adds(dilated, image)


@pytest.mark.parametrize("head", ["encoding", "psp", "aspp"])
def test_fastfcn_heads(head):
    settings = {"encoder": "resnet18", "features": 16, "head": head}
    check_network("fastfcn", settings, 2, 1, 3, (40, 33))


def test_context_encoding_is_the_sum_over_the_points():
    from napari_segment.deep.nn.models._heads import ContextEncoding

    torch.manual_seed(0)
    layer = ContextEncoding(4, 6, 2, 0.0, codewords=3)
    points = torch.rand(2, 5, 6)
    residual = points[:, :, None] - layer.codewords  # (B, N, K, D)
    share = (layer.scale * residual.square().sum(-1)).softmax(-1)
    torch.testing.assert_close(layer.encode(points), (share[..., None] * residual).sum(1))
