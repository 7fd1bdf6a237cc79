"""FastFCN and its heads."""

import pytest
import torch

from napari_segment.deep.nn import losses as deep_losses
from napari_segment.deep.nn import models as deep_models


def check(name, settings, ndim, channels_in, channels_out, size):
    """Shape, type, gradient and the loss of one network on one size."""
    net = deep_models.build((name, settings), channels_in, channels_out, ndim)
    image = torch.randn(1, channels_in, *size, generator=torch.Generator().manual_seed(0))
    shape = (1, channels_out, *size)
    target = torch.zeros(shape)
    target[:, -1, ..., size[-1] // 2 :] = 1
    if channels_out > 1:
        target[:, 0] = 1 - target[:, -1]
    outputs = net.train()(image)
    assert isinstance(outputs, list) == net.supervised
    first = outputs[0] if net.supervised else outputs
    assert first.shape == shape
    value = net.supervise(outputs, target, deep_losses.make("dice_ce"))
    value.backward()
    assert torch.isfinite(value)
    moved = [p for p in net.parameters() if p.grad is not None and p.grad.any()]
    assert len(moved) > 0.5 * len(list(net.parameters()))
    assert all(torch.isfinite(p.grad).all() for p in moved)
    with torch.inference_mode():
        logits = net.eval()(image)
    assert logits.shape == shape
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


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
    check("fastfcn", settings, 2, 1, 3, (40, 33))


def test_context_encoding_is_the_sum_over_the_points():
    from napari_segment.deep.nn.models._heads import ContextEncoding

    torch.manual_seed(0)
    layer = ContextEncoding(4, 6, 2, 0.0, codewords=3)
    points = torch.rand(2, 5, 6)
    residual = points[:, :, None] - layer.codewords  # (B, N, K, D)
    share = (layer.scale * residual.square().sum(-1)).softmax(-1)
    torch.testing.assert_close(layer.encode(points), (share[..., None] * residual).sum(1))
