"""U-Nets of MONAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_segment.deep.nn.models._declare import declare
from napari_segment.deep.nn.models._types import (
    Count,
    DeepSupervision,
    Dropout,
    Features,
    FiveFeatures,
    LastFeatures,
    Norm,
)
from napari_segment.deep.nn.models.monai._plan import Plan, plan
from napari_segment.errors import SettingError
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn


@models.add("unet", title="U-Net (residual)", group="U-Net")
def unet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: Features = (16, 32, 64, 128, 256),
    residual_units: Annotated[int, Field(ge=0, le=8)] = 2,
    norm: Norm = "instance",
    dropout: Dropout = 0.0,
) -> nn.Module:
    """U-Net with residual units, strided convolutions down and transposed convolutions up.

    Parameters
    ----------
    residual_units : int
        Convolutions in each residual unit; 0 for plain convolutions.

    Returns
    -------
    torch.nn.Module
        MONAI ``UNet``.

    References
    ----------
    .. [1] Kerfoot et al. (2019), Left-ventricle quantification using residual U-Net.
       :doi:`10.1007/978-3-030-12029-0_40`
    """
    from monai.networks.nets import UNet

    net = UNet(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        channels=features,
        strides=(2,) * (len(features) - 1),
        num_res_units=residual_units,
        norm=norm_of(norm, features),
        dropout=dropout,
    )
    stride = 2 ** (len(features) - 1)
    # Instance normalisation needs more than one voxel.
    return declare(net, stride=stride, least=2 * stride)


@models.add("basic_unet", title="U-Net (basic)", group="U-Net")
def basic_unet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: FiveFeatures = (
        32,
        32,
        64,
        128,
        256,
    ),
    last_features: LastFeatures = 32,
    norm: Norm = "instance",
    dropout: Dropout = 0.0,
) -> nn.Module:
    """U-Net with two convolutions a level, max pooling, and five levels.

    Returns
    -------
    torch.nn.Module
        MONAI ``BasicUNet``.

    References
    ----------
    .. [1] Falk et al. (2019), U-Net: deep learning for cell counting, detection, and
       morphometry. :doi:`10.1038/s41592-018-0261-2`
    """
    from monai.networks.nets import BasicUNet

    net = BasicUNet(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        features=(*features, last_features),
        norm=norm_of(norm, (*features, last_features)),
        dropout=dropout,
    )
    return declare(net, stride=16, least=32)


@models.add("unet_plus_plus", title="U-Net++", group="U-Net")
def unet_plus_plus(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: FiveFeatures = (
        32,
        32,
        64,
        128,
        256,
    ),
    last_features: LastFeatures = 32,
    norm: Norm = "instance",
    dropout: Dropout = 0.0,
    deep_supervision: bool = False,
) -> nn.Module:
    """Nested U-Net: dense skip connections through intermediate decoders.

    Parameters
    ----------
    deep_supervision : bool
        Whether each of the four nested U-Nets is trained on the target.

    Returns
    -------
    torch.nn.Module
        MONAI ``BasicUNetPlusPlus``.

    References
    ----------
    .. [1] Zhou et al. (2018), UNet++: a nested U-Net architecture for medical image
       segmentation. :doi:`10.1007/978-3-030-00889-5_1`
    """
    from monai.networks.nets import BasicUNetPlusPlus

    from napari_segment.deep.nn.models.monai._adapt import reverse_outputs

    net = BasicUNetPlusPlus(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        features=(*features, last_features),
        norm=norm_of(norm, (*features, last_features)),
        dropout=dropout,
        deep_supervision=deep_supervision,
    )
    net.register_forward_hook(reverse_outputs)  # the deepest nested U-Net comes last
    return declare(net, stride=16, least=32, supervised=deep_supervision)


@models.add("attention_unet", title="Attention U-Net", group="U-Net")
def attention_unet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: Features = (16, 32, 64, 128, 256),
    dropout: Dropout = 0.0,
) -> nn.Module:
    """U-Net whose skip connections are weighted by attention gates.

    Returns
    -------
    torch.nn.Module
        MONAI ``AttentionUnet``, with batch normalisation.

    References
    ----------
    .. [1] Oktay et al. (2018), Attention U-Net. arXiv:1804.03999
    """
    from monai.networks.nets import AttentionUnet

    net = AttentionUnet(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        channels=features,
        strides=(2,) * (len(features) - 1),
        dropout=dropout,
    )
    stride = 2 ** (len(features) - 1)
    return declare(net, stride=stride, least=2 * stride)


@models.add("dyn_unet", title="Dynamic U-Net (nnU-Net)", group="U-Net")
def dyn_unet(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    spacing: tuple[Annotated[float, Field(gt=0)], ...] = (),
    patch: tuple[Count, ...] = (),
    features: Annotated[int, Field(ge=4, le=256)] = 32,
    residual: bool = False,
    deep_supervision: DeepSupervision = True,
    dropout: Dropout = 0.0,
) -> nn.Module:
    """U-Net whose kernels and strides follow the voxel spacing, planned as nnU-Net does.

    Coarse axes keep their size, and kernels of 1 along them, until the other axes have been
    halved to about the same spacing. An axis is halved while it keeps at least 4 voxels.

    Parameters
    ----------
    spacing : tuple of float
        Spacing of each axis; empty for equal spacing.
    patch : tuple of int
        Sides of the training patches, which bound the depth; empty for 256 in 2-D, 96 in 3-D.
    features : int
        Channels of the finest level; doubled at each level up to 512 (2-D) or 320 (3-D).
    residual : bool
        Residual blocks instead of plain pairs of convolutions.

    Returns
    -------
    torch.nn.Module
        MONAI ``DynUNet``.

    References
    ----------
    .. [1] Isensee et al. (2021), nnU-Net: a self-configuring method for deep learning-based
       biomedical image segmentation. :doi:`10.1038/s41592-020-01008-z`
    """
    from monai.networks.nets import DynUNet

    planned = plan(
        _per_axis("patch", patch, ndim, 256 if ndim == 2 else 96),
        _per_axis("spacing", spacing, ndim, 1),
    )
    widest = 512 if ndim == 2 else 320
    levels = range(len(planned.strides))
    heads = max(1, len(levels) - 3)  # nnU-Net leaves out the two coarsest levels
    net = DynUNet(
        spatial_dims=ndim,
        in_channels=channels_in,
        out_channels=channels_out,
        kernel_size=planned.kernels,
        strides=planned.strides,
        upsample_kernel_size=planned.strides[1:],
        filters=[min(features * 2**i, widest) for i in levels],
        dropout=dropout or None,
        res_block=residual,
        deep_supervision=deep_supervision,
        deep_supr_num=heads,
    )
    return declare(net, stride=planned.total, least=_least(planned), supervised=deep_supervision)


def _least(planned: Plan) -> tuple[int, ...]:
    """Return the least sides: two voxels at the bottom along one axis, one along the others."""
    doubled = max(range(len(planned.total)), key=planned.total.__getitem__)
    return tuple(s * (2 if i == doubled else 1) for i, s in enumerate(planned.total))


def _per_axis(name: str, values: tuple[float, ...], ndim: int, default: float) -> tuple[float, ...]:
    if values and len(values) != ndim:
        raise SettingError(
            f"The setting {name!r} has {len(values)} numbers, but there are {ndim} axes. Give one "
            "for each, in the order (Z,) Y, X."
        )
    return values or (default,) * ndim


def norm_of(name: Norm, features: tuple[int, ...]) -> tuple[str, dict[str, object]]:
    """A normalisation in MONAI's words, with learnt scale and shift."""
    if name == "group":
        groups = min(8, *features)
        if any(f % groups for f in features):
            raise SettingError(
                f"Group normalisation needs features that are multiples of {groups}, not "
                f"{features}. Change them, or take norm='instance'."
            )
        return "group", {"num_groups": groups}
    return name, {"affine": True}
