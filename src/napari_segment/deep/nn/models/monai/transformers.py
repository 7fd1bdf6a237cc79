"""Networks of MONAI with attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_segment.deep.nn.models._declare import declare
from napari_segment.deep.nn.models._types import Dropout
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn


@models.add("swin_unetr", title="Swin UNETR", group="transformer")
def swin_unetr(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: Annotated[int, Field(ge=12, le=192, multiple_of=12)] = 24,
    window: Annotated[int, Field(ge=2, le=16)] = 7,
    residual_stages: bool = False,
    dropout: Dropout = 0.0,
) -> nn.Module:
    """Transformer with shifted windows as encoder, convolutions as decoder.

    Parameters
    ----------
    features : int
        Channels of the finest level, a multiple of 12.
    window : int
        Side of the windows in which patches attend to each other.
    residual_stages : bool
        A residual convolution before each stage (Swin UNETR V2).

    Returns
    -------
    torch.nn.Module
        MONAI ``SwinUNETR``.

    References
    ----------
    .. [1] Hatamizadeh et al. (2022), Swin UNETR. :doi:`10.1007/978-3-031-08999-2_22`
    """
    from monai.networks.nets import SwinUNETR

    net = SwinUNETR(
        in_channels=channels_in,
        out_channels=channels_out,
        spatial_dims=ndim,
        feature_size=features,
        window_size=window,
        use_v2=residual_stages,
        drop_rate=dropout,
    )
    return declare(net, stride=32, least=64)


@models.add("unetr", title="UNETR", group="transformer")
def unetr(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    size: Annotated[int, Field(ge=32, le=1024, multiple_of=16)] = 96,
    features: Annotated[int, Field(ge=4, le=128)] = 16,
    hidden: Annotated[int, Field(ge=48, le=1536, multiple_of=12)] = 768,
    dropout: Dropout = 0.0,
) -> nn.Module:
    """Vision transformer as encoder, convolutions as decoder.

    Parameters
    ----------
    size : int
        Side for which positions are learnt; for other sizes they are interpolated, so take
        the side of the training patches.
    features : int
        Channels of the finest level.
    hidden : int
        Length of a token, a multiple of 12.

    Returns
    -------
    torch.nn.Module
        MONAI ``UNETR``, extended to any size.

    References
    ----------
    .. [1] Hatamizadeh et al. (2022), UNETR. :doi:`10.1109/WACV51458.2022.00181`
    """
    from napari_segment.deep.nn.models.monai._unetr import AnySizeUNETR

    net = AnySizeUNETR(
        in_channels=channels_in,
        out_channels=channels_out,
        img_size=(size,) * ndim,
        feature_size=features,
        hidden_size=hidden,
        mlp_dim=4 * hidden,
        dropout_rate=dropout,
        spatial_dims=ndim,
    )
    return declare(net, stride=16, least=32)


@models.add("daf3d", title="DAF3D", group="attention", ndim=(3,))
def daf3d(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    deep_supervision: bool = True,
) -> nn.Module:
    """Deep attentive features: a 3-D residual pyramid, refined level by level (ultrasound).

    Parameters
    ----------
    deep_supervision : bool
        Whether the pyramid's levels are trained on the target too.

    Returns
    -------
    torch.nn.Module
        MONAI ``DAF3D``.

    References
    ----------
    .. [1] Wang et al. (2019), Deep attentive features for prostate segmentation in 3D
       transrectal ultrasound. :doi:`10.48550/arXiv.1907.01743`
    """
    from monai.networks.nets import DAF3D

    from napari_segment.deep.nn.models.monai._adapt import reverse_outputs

    assert ndim == 3
    net = DAF3D(in_channels=channels_in, out_channels=channels_out)
    net.register_forward_hook(reverse_outputs)  # the refined output comes last
    return declare(net, stride=8, least=32, supervised=deep_supervision)


@models.add("ahnet", title="AHNet", group="residual")
def ahnet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    pyramid_levels: Annotated[int, Field(ge=0, le=4)] = 0,
    upsampling: Literal["transpose", "bilinear", "trilinear", "nearest"] = "transpose",
) -> nn.Module:
    """Anisotropic hybrid network: a ResNet-50 of planes, made three-dimensional by 1-D kernels.

    Parameters
    ----------
    pyramid_levels : int
        Levels of the pooling pyramid before the logits.
    upsampling : {"transpose", "bilinear", "trilinear", "nearest"}
        How the decoder grows; linear in the number of dimensions of the data.

    Returns
    -------
    torch.nn.Module
        MONAI ``AHNet``.

    References
    ----------
    .. [1] Liu et al. (2018), 3D anisotropic hybrid network. :doi:`10.1007/978-3-030-00934-2_94`
    """
    from monai.networks.nets import AHNet

    if upsampling in ("bilinear", "trilinear"):
        upsampling = "bilinear" if ndim == 2 else "trilinear"
    net = AHNet(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        psp_block_num=pyramid_levels,
        upsample_mode=upsampling,
    )
    return declare(net, stride=32, least=64)


@models.add("quicknat", title="QuickNAT", group="U-Net", ndim=(2,))
def quicknat(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: Annotated[int, Field(ge=4, le=512)] = 64,
    squeeze: Literal["None", "CSE", "SSE", "CSSE"] = "None",
    dropout: Dropout = 0.0,
) -> nn.Module:
    """Densely connected U-Net with unpooling, for whole-brain segmentation plane by plane.

    Parameters
    ----------
    features : int
        Channels of every level.
    squeeze : {"None", "CSE", "SSE", "CSSE"}
        Squeeze and excitation: none, of channels, of space, of both.

    Returns
    -------
    torch.nn.Module
        MONAI ``Quicknat``.

    References
    ----------
    .. [1] Roy et al. (2019), QuickNAT. :doi:`10.1016/j.neuroimage.2018.11.042`
    """
    from monai.networks.nets import Quicknat

    assert ndim == 2
    net = Quicknat(
        num_classes=channels_out,
        num_channels=channels_in,
        num_filters=features,
        se_block=squeeze,
        drop_out=dropout,
    )
    return declare(net, stride=16, least=32)
