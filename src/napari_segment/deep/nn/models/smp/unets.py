"""U-Nets of segmentation-models-pytorch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_segment.deep.nn.models._types import FrozenEpochs, Weights
from napari_segment.deep.nn.models.smp._types import Attention, DecoderFeatures, Depth, EncoderName
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn


@models.add("smp_unet", title="U-Net over an encoder", group="over an encoder", ndim=(2,))
def smp_unet(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    depth: Depth = 5,
    decoder_features: DecoderFeatures = (256, 128, 64, 32, 16),
    attention: Attention = "none",
) -> nn.Module:
    """U-Net decoder over any encoder, pretrained or not.

    Returns
    -------
    torch.nn.Module
        ``Unet`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Ronneberger et al. (2015), U-Net. :doi:`10.1007/978-3-319-24574-4_28`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "Unet", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=2**depth,
        encoder_depth=depth, decoder_channels=decoder_features[-depth:],
        decoder_attention_type=None if attention == "none" else attention,
    )  # fmt: skip


@models.add("smp_unetplusplus", title="U-Net++ over an encoder", group="over an encoder", ndim=(2,))
def smp_unetplusplus(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    depth: Depth = 5,
    decoder_features: DecoderFeatures = (256, 128, 64, 32, 16),
    attention: Attention = "none",
) -> nn.Module:
    """Nested U-Net decoder, with dense skip connections, over any encoder.

    Returns
    -------
    torch.nn.Module
        ``UnetPlusPlus`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Zhou et al. (2018), UNet++. :doi:`10.1007/978-3-030-00889-5_1`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "UnetPlusPlus", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=2**depth,
        encoder_depth=depth, decoder_channels=decoder_features[-depth:],
        decoder_attention_type=None if attention == "none" else attention,
    )  # fmt: skip


@models.add("manet", title="MA-Net", group="over an encoder", ndim=(2,))
def manet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    depth: Depth = 5,
    decoder_features: DecoderFeatures = (256, 128, 64, 32, 16),
) -> nn.Module:
    """U-Net decoder with attention over positions at the bottom and over scales at the joins.

    Returns
    -------
    torch.nn.Module
        ``MAnet`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Fan et al. (2020), MA-Net. :doi:`10.1109/ACCESS.2020.3025372`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "MAnet", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=2**depth,
        encoder_depth=depth, decoder_channels=decoder_features[-depth:],
    )  # fmt: skip


@models.add("linknet", title="LinkNet", group="over an encoder", ndim=(2,))
def linknet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet34",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    depth: Depth = 5,
) -> nn.Module:
    """Light decoder that adds the encoder's features instead of joining them.

    Returns
    -------
    torch.nn.Module
        ``Linknet`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Chaurasia and Culurciello (2017), LinkNet. :doi:`10.1109/VCIP.2017.8305148`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "Linknet", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=2**depth,
        encoder_depth=depth,
    )  # fmt: skip
