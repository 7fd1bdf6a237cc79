"""Decoders of segmentation-models-pytorch that were made for transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_segment.deep.nn.models._declare import declare
from napari_segment.deep.nn.models._types import FrozenEpochs, Weights
from napari_segment.deep.nn.models.smp._types import DecoderWidth, Depth, EncoderName
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn


@models.add("segformer", title="SegFormer", group="transformer", ndim=(2,))
def segformer(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "mit_b0",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    depth: Depth = 5,
    features: DecoderWidth = 256,
) -> nn.Module:
    """All scales brought to one width, joined and classified; its encoders are mit_b0 to mit_b5.

    Returns
    -------
    torch.nn.Module
        ``Segformer`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Xie et al. (2021), SegFormer. arXiv:2105.15203
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    return over_encoder(
        "Segformer", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=2**depth,
        encoder_depth=depth, decoder_segmentation_channels=features,
    )  # fmt: skip


@models.add("dpt", title="Dense prediction transformer", group="transformer", ndim=(2,))
def dpt(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "tu-vit_base_patch16_224.augreg_in21k",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    features: DecoderWidth = 256,
) -> nn.Module:
    """Convolutional decoder over the tokens of a vision transformer, from timm.

    Returns
    -------
    torch.nn.Module
        ``DPT`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Ranftl et al. (2021), Vision transformers for dense prediction.
       :doi:`10.1109/ICCV48922.2021.01196`
    """
    from napari_segment.deep.nn.models.smp._build import output_stride, over_encoder

    assert ndim == 2
    net = over_encoder(
        "DPT", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=16,
        decoder_fusion_channels=features, dynamic_img_size=True,
    )  # fmt: skip
    side = 2 * output_stride(net)  # one level below the tokens
    return declare(net, stride=side, least=side)
