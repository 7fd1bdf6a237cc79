"""The U-Net of the textbooks and tutorials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_segment.deep.nn.models._types import Dropout
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn


@models.add("textbook_unet", title="U-Net (textbook)", group="U-Net")
def textbook_unet(
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    features: Annotated[int, Field(ge=1, le=512)] = 16,
    levels: Annotated[int, Field(ge=2, le=7)] = 5,
    norm: Literal["batch", "instance", "none"] = "batch",
    dropout: Dropout = 0.1,
) -> nn.Module:
    """U-Net as it is taught: two convolutions a level, max pooling, transposed convolutions.

    The convolutions are padded, so that the logits have the size of the image.

    Parameters
    ----------
    features : int
        Channels of the finest level; doubled at each level. 64 in the paper.
    levels : int
        Levels, the bottom included; every level halves the sides.
    norm : {"batch", "instance", "none"}
        Normalisation after each convolution; the paper has none.
    dropout : float
        Probability with which a feature is dropped after each pooling and each joining.

    Returns
    -------
    torch.nn.Module
        With ``levels - 1`` skip connections.

    References
    ----------
    .. [1] Ronneberger et al. (2015), U-Net: convolutional networks for biomedical image
       segmentation. :doi:`10.1007/978-3-319-24574-4_28`
    .. [2] Çiçek et al. (2016), 3D U-Net. :doi:`10.1007/978-3-319-46723-8_49`
    """
    from napari_segment.deep.nn.models._textbook import TextbookUNet

    return TextbookUNet(channels_in, channels_out, ndim, features, levels, norm, dropout)
