"""Residual convolutional networks of MONAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_segment.deep.nn.models._declare import declare
from napari_segment.deep.nn.models._types import Blocks, DeepSupervision, Dropout, LastDropout
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn

InstanceOrBatch = Annotated[
    Literal["instance", "batch"],
    Field(
        description='Normalisation of features. "instance" does not depend on the batch, so it '
        "suits the small batches of 3-D patches."
    ),
]
Eights = Annotated[int, Field(ge=8, le=512, multiple_of=8)]


@models.add("segresnet", title="SegResNet", group="residual")
def segresnet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: Eights = 16,
    blocks_down: Blocks = (1, 2, 2, 4),
    blocks_up: Annotated[tuple[Annotated[int, Field(ge=1, le=32)], ...], Field(min_length=1)] = (
        1,
        1,
        1,
    ),
    dropout: Dropout = 0.0,
) -> nn.Module:
    """Asymmetric residual encoder and decoder: the network that won BraTS 2018, without its VAE.

    Parameters
    ----------
    features : int
        Channels of the finest level, a multiple of 8; doubled at each level.
    blocks_down, blocks_up : tuple of int
        Residual blocks of each level; the decoder has one level less.
    dropout : float
        Probability with which a feature is dropped after the first convolution.

    Returns
    -------
    torch.nn.Module
        MONAI ``SegResNet``, with group normalisation.

    References
    ----------
    .. [1] Myronenko (2019), 3D MRI brain tumor segmentation using autoencoder regularization.
       :doi:`10.1007/978-3-030-11726-9_28`
    """
    from monai.networks.nets import SegResNet

    net = SegResNet(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        init_filters=features,
        blocks_down=blocks_down,
        blocks_up=blocks_up,
        dropout_prob=dropout or None,
    )
    return declare(net, stride=2 ** (len(blocks_down) - 1))


@models.add("segresnet_ds", title="SegResNet (deep supervision)", group="residual")
def segresnet_ds(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: Eights = 32,
    blocks_down: Blocks = (1, 2, 2, 4),
    norm: InstanceOrBatch = "instance",
    deep_supervision: DeepSupervision = True,
) -> nn.Module:
    """SegResNet whose decoder is trained on the target at several levels (Auto3DSeg).

    Parameters
    ----------
    features : int
        Channels of the finest level; doubled at each level.
    blocks_down : tuple of int
        Residual blocks of each level.

    Returns
    -------
    torch.nn.Module
        MONAI ``SegResNetDS``.

    References
    ----------
    .. [1] Myronenko et al. (2023), Automated 3D segmentation of kidneys and tumors in MICCAI
       KiTS 2023 challenge. :doi:`10.48550/arXiv.2310.04110`
    """
    from monai.networks.nets import SegResNetDS

    levels = len(blocks_down) - 1
    net = SegResNetDS(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        init_filters=features,
        blocks_down=blocks_down,
        norm=norm,
        dsdepth=levels if deep_supervision else 1,
    )
    supervised = deep_supervision and levels > 1
    return declare(net, stride=2**levels, least=2 ** (levels + 1), supervised=supervised)


@models.add("vnet", title="V-Net", group="residual")
def vnet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    dropout: Dropout = 0.0,
) -> nn.Module:
    """Residual encoder and decoder with 5-voxel kernels, the first network trained with Dice.

    Returns
    -------
    torch.nn.Module
        MONAI ``VNet``.

    References
    ----------
    .. [1] Milletari et al. (2016), V-Net: fully convolutional neural networks for volumetric
       medical image segmentation. :doi:`10.1109/3DV.2016.79`
    """
    from monai.networks.nets import VNet
    from torch import nn

    fits = 16 % channels_in == 0
    net = VNet(
        spatial_dims=ndim,
        in_channels=channels_in if fits else 16,
        out_channels=channels_out,
        dropout_prob_down=dropout or None,
        dropout_prob_up=(dropout or None, dropout),
        dropout_dim=ndim,
    )
    if not fits:
        convolution = nn.Conv2d if ndim == 2 else nn.Conv3d
        net = nn.Sequential(convolution(channels_in, 16, 1), net)
    return declare(net, stride=16, least=32)


@models.add("highresnet", title="HighRes3DNet", group="residual")
def highresnet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    norm: InstanceOrBatch = "batch",
    dropout: LastDropout = 0.0,
) -> nn.Module:
    """Dilated residual convolutions at full resolution: no downsampling, few parameters, slow.

    Returns
    -------
    torch.nn.Module
        MONAI ``HighResNet``.

    References
    ----------
    .. [1] Li et al. (2017), On the compactness, efficiency, and representation of 3D
       convolutional networks. :doi:`10.1007/978-3-319-59050-9_28`
    """
    from monai.networks.nets import HighResNet

    net = HighResNet(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        norm_type=(norm, {"affine": True}),
        dropout_prob=dropout or None,
    )
    return declare(net, least=8)


@models.add("mednext", title="MedNeXt", group="residual")
def mednext(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: Annotated[int, Field(ge=4, le=128)] = 32,
    kernel: Literal[3, 5, 7] = 3,
    expansion: Annotated[int, Field(ge=1, le=8)] = 2,
    blocks: Annotated[int, Field(ge=1, le=8)] = 2,
    deep_supervision: DeepSupervision = False,
) -> nn.Module:
    """ConvNeXt blocks in a U-Net, with residual up- and downsampling.

    Parameters
    ----------
    features : int
        Channels of the finest level; doubled at each of the five.
    kernel : {3, 5, 7}
        Side of the depthwise kernels.
    expansion : int
        By how much a block widens between its 1×1 convolutions.
    blocks : int
        Blocks of each level.

    Returns
    -------
    torch.nn.Module
        MONAI ``MedNeXt``.

    References
    ----------
    .. [1] Roy et al. (2023), MedNeXt: transformer-driven scaling of ConvNets for medical image
       segmentation. :doi:`10.1007/978-3-031-43901-8_39`
    """
    from monai.networks.nets import MedNeXt

    net = MedNeXt(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        init_filters=features,
        encoder_expansion_ratio=expansion,
        decoder_expansion_ratio=expansion,
        bottleneck_expansion_ratio=expansion,
        kernel_size=kernel,
        blocks_down=(blocks,) * 4,
        blocks_bottleneck=blocks,
        blocks_up=(blocks,) * 4,
        deep_supervision=deep_supervision,
        use_residual_connection=True,
    )
    return declare(net, stride=16, least=32, supervised=deep_supervision)


@models.add("flexible_unet", title="U-Net over a residual encoder (2-D, 3-D)", group="residual")
def flexible_unet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: Literal[
        "resnet10",
        "resnet18",
        "resnet34",
        "resnet50",
        "resnet101",
        "resnet152",
        "resnet200",
        "efficientnet-b0",
        "efficientnet-b1",
        "efficientnet-b2",
        "efficientnet-b3",
        "efficientnet-b4",
        "efficientnet-b5",
        "efficientnet-b6",
        "efficientnet-b7",
    ] = "resnet18",
    dropout: Dropout = 0.0,
) -> nn.Module:
    """U-Net decoder over a ResNet or EfficientNet encoder, which exist in 3-D too.

    Parameters
    ----------
    encoder : str
        The encoder, with random weights.
    dropout : float
        Probability with which a feature of the decoder is dropped in training.

    Returns
    -------
    torch.nn.Module
        MONAI ``FlexibleUNet``.

    References
    ----------
    .. [1] Ronneberger et al. (2015), U-Net. :doi:`10.1007/978-3-319-24574-4_28`
    .. [2] Tan and Le (2019), EfficientNet. arXiv:1905.11946
    """
    from monai.networks.nets import FlexibleUNet

    net = FlexibleUNet(
        in_channels=channels_in,
        out_channels=channels_out,
        backbone=encoder,
        spatial_dims=ndim,
        dropout=dropout,
    )
    return declare(net, stride=32, least=64)
