"""Pyramids of segmentation-models-pytorch: features of several scales, or one at several rates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from napari_segment.deep.nn.models._types import Count, Dropout, FrozenEpochs, Weights
from napari_segment.deep.nn.models.smp._types import Depth, EncoderName, Rates
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
    dropout: Dropout = 0.2,
) -> nn.Module:
    """Feature pyramid: every scale is classified, and the answers are added.

    Parameters
    ----------
    channels_in, channels_out, ndim : int
        Channels of the image and of the logits; 2-D only.
    encoder : str
        Name of the encoder, such as "resnet34" or "tu-convnext_tiny"; `encoders` lists them.
    weights : str
        Pretrained weights of the encoder: "none", a name such as "imagenet" (this machine's cache
        first, then the hub), or the path of a file.
    frozen_epochs : int
        For how many epochs the encoder keeps its weights: 0 for none, -1 for all.
    depth : {3, 4, 5}
        Levels of the encoder that are used; each halves the sides.
    pyramid_features : int
        Channels of the pyramid.
    dropout : float
        Probability with which a feature is dropped before the last layer.

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
    features: Count = 512,
    dropout: Dropout = 0.2,
) -> nn.Module:
    """Pyramid pooling: context pooled over regions of four sizes, at an eighth of the resolution.

    Parameters
    ----------
    channels_in, channels_out, ndim : int
        Channels of the image and of the logits; 2-D only.
    encoder : str
        Name of the encoder, such as "resnet34" or "tu-convnext_tiny"; `encoders` lists them.
    weights : str
        Pretrained weights of the encoder: "none", a name such as "imagenet" (this machine's cache
        first, then the hub), or the path of a file.
    frozen_epochs : int
        For how many epochs the encoder keeps its weights: 0 for none, -1 for all.
    depth : {3, 4, 5}
        Levels of the encoder that are used; each halves the sides.
    features : int
        Channels of the decoder.
    dropout : float
        Probability with which a feature is dropped before the last layer.

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
    features: Count = 32,
    output_stride: Literal[16, 32] = 16,
) -> nn.Module:
    """Attention pyramid at the bottom, global attention at the joins.

    Parameters
    ----------
    channels_in, channels_out, ndim : int
        Channels of the image and of the logits; 2-D only.
    encoder : str
        Name of the encoder, such as "resnet34" or "tu-convnext_tiny"; `encoders` lists them.
    weights : str
        Pretrained weights of the encoder: "none", a name such as "imagenet" (this machine's cache
        first, then the hub), or the path of a file.
    frozen_epochs : int
        For how many epochs the encoder keeps its weights: 0 for none, -1 for all.
    features : int
        Channels of the decoder.
    output_stride : {16, 32}
        By how much the encoder's last features are coarser than the image; smaller means dilated
        convolutions in place of strides: finer, slower.

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
    output_stride: Literal[8, 16] = 16,
    atrous_rates: Rates = (6, 12, 18),
    separable: bool = False,
    dropout: Dropout = 0.5,
    features: Count = 256,
) -> nn.Module:
    """Atrous spatial pyramid pooling over a dilated encoder.

    Parameters
    ----------
    channels_in, channels_out, ndim : int
        Channels of the image and of the logits; 2-D only.
    encoder : str
        Name of the encoder, such as "resnet34" or "tu-convnext_tiny"; `encoders` lists them.
    weights : str
        Pretrained weights of the encoder: "none", a name such as "imagenet" (this machine's cache
        first, then the hub), or the path of a file.
    frozen_epochs : int
        For how many epochs the encoder keeps its weights: 0 for none, -1 for all.
    output_stride : {8, 16}
        By how much the encoder's last features are coarser than the image; smaller means dilated
        convolutions in place of strides: finer, slower.
    atrous_rates : tuple of three int
        Dilation of the three parallel convolutions. The paper takes (6, 12, 18) at output stride
        16 and doubles them at 8.
    separable : bool
        Depthwise separable convolutions in the pyramid.
    dropout : float
        Probability with which a feature is dropped before the last layer.
    features : int
        Channels of the decoder.

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
    output_stride: Literal[8, 16] = 16,
    atrous_rates: Rates = (6, 12, 18),
    separable: bool = True,
    dropout: Dropout = 0.5,
    features: Count = 256,
) -> nn.Module:
    """DeepLabV3 with a decoder that brings fine features back.

    Parameters
    ----------
    channels_in, channels_out, ndim : int
        Channels of the image and of the logits; 2-D only.
    encoder : str
        Name of the encoder, such as "resnet34" or "tu-convnext_tiny"; `encoders` lists them.
    weights : str
        Pretrained weights of the encoder: "none", a name such as "imagenet" (this machine's cache
        first, then the hub), or the path of a file.
    frozen_epochs : int
        For how many epochs the encoder keeps its weights: 0 for none, -1 for all.
    output_stride : {8, 16}
        By how much the encoder's last features are coarser than the image; smaller means dilated
        convolutions in place of strides: finer, slower.
    atrous_rates : tuple of three int
        Dilation of the three parallel convolutions. The paper takes (6, 12, 18) at output stride
        16 and doubles them at 8.
    separable : bool
        Depthwise separable convolutions in the pyramid.
    dropout : float
        Probability with which a feature is dropped before the last layer.
    features : int
        Channels of the decoder.

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
    features: Count = 256,
) -> nn.Module:
    """Pyramid pooling at the bottom of a feature pyramid.

    Parameters
    ----------
    channels_in, channels_out, ndim : int
        Channels of the image and of the logits; 2-D only.
    encoder : str
        Name of the encoder, such as "resnet34" or "tu-convnext_tiny"; `encoders` lists them.
    weights : str
        Pretrained weights of the encoder: "none", a name such as "imagenet" (this machine's cache
        first, then the hub), or the path of a file.
    frozen_epochs : int
        For how many epochs the encoder keeps its weights: 0 for none, -1 for all.
    depth : {3, 4, 5}
        Levels of the encoder that are used; each halves the sides.
    features : int
        Channels of the decoder.

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
