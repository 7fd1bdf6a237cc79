"""Decoders of segmentation-models-pytorch that were made for transformers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_segment.deep.nn.models._types import Count, FrozenEpochs, Weights
from napari_segment.deep.nn.models.smp._types import Depth, EncoderName
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
    features: Count = 256,
) -> nn.Module:
    """All scales brought to one width, joined and classified; its encoders are mit_b0 to mit_b5.

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
    features: Count = 256,
) -> nn.Module:
    """Convolutional decoder over the tokens of a vision transformer, from timm.

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

    Returns
    -------
    torch.nn.Module
        ``DPT`` of segmentation-models-pytorch.

    References
    ----------
    .. [1] Ranftl et al. (2021), Vision transformers for dense prediction.
       :doi:`10.1109/ICCV48922.2021.01196`
    """
    from napari_segment.deep.nn.models.smp._build import over_encoder

    assert ndim == 2
    net = over_encoder(
        "DPT", channels_in, channels_out,
        encoder=encoder, weights=weights, frozen_epochs=frozen_epochs, stride=16,
        decoder_fusion_channels=features, dynamic_img_size=True,
    )  # fmt: skip
    net.stride = net.least = 2 * net.encoder.output_stride  # one level below the tokens
    return net
