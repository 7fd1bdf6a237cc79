"""FastFCN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from napari_segment.deep.nn.models._declare import declare
from napari_segment.deep.nn.models._types import Dropout, FrozenEpochs, Weights
from napari_segment.deep.nn.models.smp._types import EncoderName
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn


@models.add("fastfcn", title="FastFCN (joint pyramid upsampling)", group="DeepLab", ndim=(2,))
def fastfcn(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet50",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    head: Literal["encoding", "psp", "aspp"] = "encoding",
    features: Annotated[int, Field(ge=8, le=1024, multiple_of=4)] = 256,
    dropout: Dropout = 0.1,
    presence_weight: Annotated[float, Field(ge=0)] = 0.2,
) -> nn.Module:
    """Joint pyramid upsampling: the features of a dilated encoder without its cost.

    The encoder's last three levels are brought to a stride of 8, joined, and looked at with
    four dilations; a head that sees context follows.

    Parameters
    ----------
    encoder : str
        Name of the encoder, such as "resnet50"; `encoders` lists them.
    head : {"encoding", "psp", "aspp"}
        Context encoding, pooling pyramid, or atrous pyramid.
    features : int
        Channels of each path and of the head; 512 in the paper.
    dropout : float
        Probability with which a feature is dropped before the logits.
    presence_weight : float
        Of the encoding head: weight, in training, of knowing which classes the image holds.

    Returns
    -------
    torch.nn.Module
        Written from the paper.

    References
    ----------
    .. [1] Wu et al. (2019), FastFCN: rethinking dilated convolution in the backbone for
       semantic segmentation. arXiv:1903.11816
    .. [2] Zhang et al. (2018), Context encoding for semantic segmentation.
       :doi:`10.1109/CVPR.2018.00747`
    """
    from napari_segment.deep.nn.models._fastfcn import FastFCN
    from napari_segment.deep.nn.models.smp._build import encoder_of

    assert ndim == 2
    body, widths = encoder_of(channels_in, encoder, weights)
    net = FastFCN(body, widths, channels_out, features, head, dropout, presence_weight)
    return declare(net, stride=32, least=64, frozen_epochs=frozen_epochs)
