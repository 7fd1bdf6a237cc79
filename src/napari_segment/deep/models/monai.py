"""Networks of MONAI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_segment.errors import SettingError
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn

Features = Annotated[tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=2)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Norm = Literal["instance", "batch", "group"]


@models.add("unet", title="U-Net (MONAI, residual)", group="U-Net")
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
    """U-Net with residual units, learnt downsampling and transposed convolutions.

    Parameters
    ----------
    channels_in, channels_out, ndim : int
        Channels of the image and of the logits, and spatial dimensions.
    features : tuple of int
        Channels of each level, from the finest; every level halves the sides.
    residual_units : int
        Convolutions in each residual unit; 0 for plain convolutions.
    norm : {"instance", "batch", "group"}
        Normalisation. "instance" does not depend on the batch, so it suits the small batches
        of 3-D patches.
    dropout : float
        Probability with which a feature is dropped in training.

    Returns
    -------
    torch.nn.Module
        ``(B, channels_in, *S)`` to ``(B, channels_out, *S)``; S multiples of
        ``2 ** (len(features) - 1)``, which `build` sees to.

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
        norm=_norm(norm, features),
        dropout=dropout,
    )
    net.stride = 2 ** (len(features) - 1)
    net.least = 2 * net.stride  # instance normalisation needs more than one voxel
    return net


def _norm(name: Norm, features: tuple[int, ...]) -> tuple[str, dict[str, object]]:
    if name == "group":
        groups = min(8, *features)
        if any(f % groups for f in features):
            raise SettingError(
                f"Group normalisation needs features that are multiples of {groups}, not "
                f"{features}. Change them, or take norm='instance'."
            )
        return "group", {"num_groups": groups}
    return name, {"affine": True}
