"""Gated-SCNN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_segment.deep.nn.models._declare import declare
from napari_segment.deep.nn.models._types import Count, Dropout, FrozenEpochs, Weights
from napari_segment.deep.nn.models.smp._types import EncoderName, Rates
from napari_segment.registry import models

if TYPE_CHECKING:
    from torch import nn

Weight = Annotated[float, Field(ge=0)]


@models.add("gated_scnn", title="Gated-SCNN (shape stream)", group="DeepLab", ndim=(2,))
def gated_scnn(  # noqa: PLR0913
    channels_in: int,
    channels_out: int,
    ndim: int,
    *,
    encoder: EncoderName = "resnet50",
    weights: Weights = "none",
    frozen_epochs: FrozenEpochs = 0,
    features: Count = 256,
    atrous_rates: Rates = (12, 24, 36),
    dropout: Dropout = 0.1,
    edge_weight: Weight = 20.0,
    agreement_weight: Weight = 1.0,
    at_edge_weight: Weight = 1.0,
) -> nn.Module:
    """Two streams: what is where, and where its edges are; each corrects the other in training.

    A shape stream at full resolution, gated by the encoder's coarser levels, learns the edges.
    With the image's gradient they join an atrous pyramid over the encoder at a stride of 8. The
    training adds to the chosen loss the edges' cross entropy and the two dual-task terms.

    Parameters
    ----------
    encoder : str
        Name of the encoder, one that can be dilated, such as "resnet50"; `encoders` lists them.
    features : int
        Channels of the pyramid and of the last layers.
    atrous_rates : tuple of three int
        Dilations of the pyramid.
    dropout : float
        Probability with which a feature is dropped behind the pyramid.
    edge_weight : float
        Of the edges' cross entropy in training.
    agreement_weight : float
        Of the difference between the outlines of the answer and of the target.
    at_edge_weight : float
        Of the cross entropy where the shape stream is sure of an edge.

    Returns
    -------
    torch.nn.Module
        Written from the paper, with the Sobel magnitude in place of Canny's edges.

    References
    ----------
    .. [1] Takikawa et al. (2019), Gated-SCNN: gated shape CNNs for semantic segmentation.
       :doi:`10.1109/ICCV.2019.00533`
    """
    from napari_segment.deep.nn.models._gated_scnn import GatedSCNN
    from napari_segment.deep.nn.models.smp._build import encoder_of

    assert ndim == 2
    body, widths = encoder_of(channels_in, encoder, weights, output_stride=8)
    terms = (edge_weight, agreement_weight, at_edge_weight)
    net = GatedSCNN(body, widths, channels_out, features, atrous_rates, dropout, terms)
    return declare(net, stride=8, least=64, frozen_epochs=frozen_epochs)
