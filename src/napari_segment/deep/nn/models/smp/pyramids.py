"""Pyramids of segmentation-models-pytorch: features of several scales, or one at several rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_segment.deep.nn.models._types import Count, FrozenEpochs, LastDropout, Weights
from napari_segment.deep.nn.models.smp._types import (
    CoarseOutputStride,
    DecoderWidth,
    Depth,
    EncoderName,
    OutputStride,
    Rates,
    Separable,
)
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn


@models.add("fpn", title="Feature pyramid network", group="over an encoder", ndim=(2,))
def fpn(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    depth: Depth = 5,
    pyramid_features: Count = 256,
    dropout: LastDropout = 0.2,
) -> nn.Module:
    """Feature pyramid: every scale is classified, and the answers are added.

    Parameters
    ----------
    pyramid_features : int
        Channels of the pyramid.

    Returns
    -------
    torch.nn.Module
        ``FPN`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Kirillov et al. (2019), Panoptic feature pyramid networks. :doi:`10.1109/CVPR.2019.00656`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "FPN", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=2**depth,
        encoder_depth=depth, decoder_pyramid_channels=pyramid_features, decoder_dropout=dropout,
    )  # fmt: skip


@models.add("pspnet", title="PSPNet", group="over an encoder", ndim=(2,))
def pspnet(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    depth: Depth = 3,
    features: DecoderWidth = 512,
    dropout: LastDropout = 0.2,
) -> nn.Module:
    """Pyramid pooling: context pooled over regions of four sizes, at an eighth of the resolution.

    Returns
    -------
    torch.nn.Module
        ``PSPNet`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Zhao et al. (2017), Pyramid scene parsing network. :doi:`10.1109/CVPR.2017.660`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "PSPNet", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=2**depth,
        encoder_depth=depth, psp_out_channels=features, psp_dropout=dropout, upsampling=2**depth,
    )  # fmt: skip


@models.add("pan", title="Pyramid attention network", group="over an encoder", ndim=(2,))
def pan(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    features: DecoderWidth = 32,
    output_stride: CoarseOutputStride = 16,
) -> nn.Module:
    """Attention pyramid at the bottom, global attention at the joins.

    Returns
    -------
    torch.nn.Module
        ``PAN`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Li et al. (2018), Pyramid attention network for semantic segmentation. arXiv:1805.10180
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "PAN", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=output_stride,
        least=16 * output_stride,  # its bottom is pooled three times more
        decoder_channels=features, encoder_output_stride=output_stride,
    )  # fmt: skip


@models.add("deeplabv3", title="DeepLabV3", group="DeepLab", ndim=(2,))
def deeplabv3(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    output_stride: OutputStride = 16,
    atrous_rates: Rates = (6, 12, 18),
    separable: Separable = False,
    dropout: LastDropout = 0.5,
    features: DecoderWidth = 256,
) -> nn.Module:
    """Atrous spatial pyramid pooling over a dilated encoder.

    Returns
    -------
    torch.nn.Module
        ``DeepLabV3`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Chen et al. (2017), Rethinking atrous convolution for semantic image
       segmentation. arXiv:1706.05587
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "DeepLabV3", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=output_stride,
        least=64, encoder_output_stride=output_stride, decoder_atrous_rates=atrous_rates,
        decoder_aspp_separable=separable, decoder_aspp_dropout=dropout, decoder_channels=features,
    )  # fmt: skip


@models.add("deeplabv3plus", title="DeepLabV3+", group="DeepLab", ndim=(2,))
def deeplabv3plus(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    output_stride: OutputStride = 16,
    atrous_rates: Rates = (6, 12, 18),
    separable: Separable = True,
    dropout: LastDropout = 0.5,
    features: DecoderWidth = 256,
) -> nn.Module:
    """DeepLabV3 with a decoder that brings fine features back.

    Returns
    -------
    torch.nn.Module
        ``DeepLabV3Plus`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Chen et al. (2018), Encoder-decoder with atrous separable convolution for semantic
       image segmentation. :doi:`10.1007/978-3-030-01234-2_49`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "DeepLabV3Plus", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=output_stride,
        least=64, encoder_output_stride=output_stride, decoder_atrous_rates=atrous_rates,
        decoder_aspp_separable=separable, decoder_aspp_dropout=dropout, decoder_channels=features,
    )  # fmt: skip


@models.add("upernet", title="UPerNet", group="over an encoder", ndim=(2,))
def upernet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    depth: Depth = 5,
    features: DecoderWidth = 256,
) -> nn.Module:
    """Pyramid pooling at the bottom of a feature pyramid.

    Returns
    -------
    torch.nn.Module
        ``UPerNet`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Xiao et al. (2018), Unified perceptual parsing for scene understanding.
       :doi:`10.1007/978-3-030-01228-1_26`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "UPerNet", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=2**depth,
        encoder_depth=depth, decoder_channels=features,
    )  # fmt: skip
