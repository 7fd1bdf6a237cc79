"""Gated shape CNN in torch: a regular stream, a gated shape stream, and their fusion."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_segment.deep.nn.models._heads import AtrousPyramid, convolved, resized

SHAPE_WIDTHS = (64, 32, 16, 8)
SURE_EDGE = 0.8  # from here on the shape stream's word is taken for an edge


class ResidualBlock(nn.Module):
    """Add two convolutions to the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            convolved(width, width),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, values: Tensor) -> Tensor:
        return functional.relu(values + self.path(values))


class GatedConvolution(nn.Module):
    """The shape stream let through where the regular stream sees something: ``(s a + s) w``."""

    def __init__(self, width: int, after: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.BatchNorm2d(width + 1),
            nn.Conv2d(width + 1, width + 1, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width + 1, 1, 1),
            nn.BatchNorm2d(1),
            nn.Sigmoid(),
        )
        self.weight = nn.Conv2d(width, after, 1, bias=False)

    def forward(self, shape: Tensor, regular: Tensor) -> Tensor:
        gate = self.gate(torch.cat([shape, regular], 1))
        return self.weight(shape * gate + shape)


class ShapeStream(nn.Module):
    """Edges at full resolution, from fine features gated by coarser ones.

    Parameters
    ----------
    first : int
        Channels of the fine features.
    gating : sequence of three int
        Channels of the levels that open the gates.
    """

    def __init__(self, first: int, gating: Sequence[int]) -> None:
        super().__init__()
        self.start = nn.Conv2d(first, SHAPE_WIDTHS[0], 1)
        self.single = nn.ModuleList(nn.Conv2d(n, 1, 1) for n in gating)
        self.blocks = nn.ModuleList(ResidualBlock(w) for w in SHAPE_WIDTHS[:-1])
        self.gates = nn.ModuleList(GatedConvolution(a, b) for a, b in pairwise(SHAPE_WIDTHS))
        self.edge = nn.Conv2d(SHAPE_WIDTHS[-1], 1, 1, bias=False)
        nn.init.xavier_uniform_(self.edge.weight)

    def forward(self, fine: Tensor, levels: Sequence[Tensor], size: Sequence[int]) -> Tensor:
        """Logits of the edge, (B, 1, *size)."""
        shape = resized(self.start(fine), size)
        for block, gate, single, level in zip(
            self.blocks, self.gates, self.single, levels, strict=True
        ):
            shape = gate(block(shape), resized(single(level), size))
        return self.edge(shape)


class GatedSCNN(nn.Module):
    """Segmentation that knows its edges.

    Parameters
    ----------
    encoder : torch.nn.Module
        Gives its features from the finest to the coarsest, the last at a stride of 8.
    widths : sequence of int
        Number of channels of each of the features.
    channels_out, features : int
        Of the logits and of the pyramid.
    rates : sequence of int
        Of the atrous pyramid.
    dropout : float
        Behind the pyramid.
    weights : sequence of three float
        In the training loss: of the edges, of their agreement with the segmentation, and of the
        segmentation at the edges.
    """

    supervised = True

    def __init__(
        self, encoder: nn.Module, widths: Sequence[int], channels_out: int, features: int,
        rates: Sequence[int], dropout: float, weights: Sequence[float],
    ) -> None:  # fmt: skip
        super().__init__()
        self.encoder, self.weights = encoder, tuple(weights)
        self.first = 1 if widths[1] else 2  # transformers have nothing at a stride of 2
        self.shape = ShapeStream(widths[self.first], widths[3:6])
        self.with_gradient = nn.Conv2d(2, 1, 1, bias=False)
        nn.init.constant_(self.with_gradient.weight, 0.5)
        self.edge_features = convolved(1, features, 1)
        self.pyramid = AtrousPyramid(widths[5], features, rates, dropout, extra=features)
        self.fine = convolved(widths[2], 48, 1)
        self.last = nn.Sequential(
            convolved(features + 48, features),
            convolved(features, features),
            nn.Conv2d(features, channels_out, 1),
        )

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        size = image.shape[-2:]
        levels = self.encoder(image)
        edge = self.shape(levels[self.first], levels[3:6], size)
        hint = torch.cat([edge.sigmoid(), gradient(image)], 1)
        hint = resized(self.with_gradient(hint).sigmoid(), levels[5].shape[-2:])
        context = self.pyramid(levels[5], self.edge_features(hint))
        fine = self.fine(levels[2])
        joined = torch.cat([resized(context, fine.shape[-2:]), fine], 1)
        logits = resized(self.last(joined), size)
        return [logits, edge] if self.training else logits

    def auxiliary(self, outputs: Sequence[Tensor], target: Tensor) -> Tensor:
        """Return the edges' cross entropy and the two regularisers of the dual task."""
        logits, edge = (o.float() for o in outputs)
        with torch.autocast(logits.device.type, enabled=False):
            known = (target >= 0).all(1, keepdim=True).float()
            target = target.float() * known
            by_edge, agree, at_edge = self.weights
            return (
                by_edge * edge_loss(edge, target, known)
                + agree * agreement(logits, target, known)
                + at_edge * loss_at_edges(logits, edge, target, known)
            )


def gradient(image: Tensor) -> Tensor:
    """Sobel magnitude over all channels, (B, 1, *S), at most 1 in each image."""
    kernel = image.new_tensor([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    channels = image.shape[1]
    kernels = torch.stack([kernel, kernel.T])[:, None].repeat(channels, 1, 1, 1)
    padded = functional.pad(image, (1, 1, 1, 1), mode="replicate")
    slopes = functional.conv2d(padded, kernels, groups=channels)
    magnitude = (slopes.square().sum(1, keepdim=True) + 1e-12).sqrt()
    return magnitude / magnitude.amax((-2, -1), keepdim=True).clamp(min=1e-6)


def edges_of(target: Tensor) -> Tensor:
    """Pixels with another class among their neighbours, (B, 1, *S) of 0 and 1."""
    wide = functional.max_pool2d(target, 3, 1, 1)
    narrow = -functional.max_pool2d(-target, 3, 1, 1)
    return ((wide - narrow).amax(1, keepdim=True) > 0.5).float()


def edge_loss(edge: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Binary cross entropy, either side weighted by the other's share."""
    truth = edges_of(target)
    rest = 1 - (truth * known).sum() / known.sum().clamp(min=1)
    weight = (truth * rest + (1 - truth) * (1 - rest)) * known
    wrong = functional.binary_cross_entropy_with_logits(edge, truth, reduction="none")
    return (wrong * weight).sum() / known.sum().clamp(min=1)


def agreement(logits: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Difference of the outlines of the answer and of the target, where either has one.

    The answer is sampled by the Gumbel trick, so that taking the best class can be differentiated.
    """
    if logits.shape[1] == 1:
        logits = torch.cat([torch.zeros_like(logits), logits], 1)
        target = torch.cat([1 - target, target], 1)
    answer = functional.gumbel_softmax(logits, tau=1.0, dim=1)
    said, true = outline(answer), outline(target)
    either = ((said > 0.1) | (true > 0.1)).float() * known
    return ((said - true).abs() * either).sum() / (either.sum() * said.shape[1]).clamp(min=1)


def outline(values: Tensor) -> Tensor:
    """Magnitude of the gradient of smoothed values, in [0, 1]."""
    channels = values.shape[1]
    bell = values.new_tensor([1.0, 2.0, 1.0]) / 4
    kernel = (bell[:, None] * bell[None]).repeat(channels, 1, 1, 1)
    smooth = functional.conv2d(
        functional.pad(values, (1, 1, 1, 1), mode="replicate"), kernel, groups=channels
    )
    padded = functional.pad(smooth, (1, 1, 1, 1), mode="replicate")
    down = (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2
    across = (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2
    return ((down.square() + across.square() + 1e-12) / 2).sqrt()


def loss_at_edges(logits: Tensor, edge: Tensor, target: Tensor, known: Tensor) -> Tensor:
    """Cross entropy of the segmentation where the shape stream is sure of an edge."""
    where = (edge.detach().sigmoid() > SURE_EDGE).float() * known
    if logits.shape[1] == 1:
        wrong = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    else:
        wrong = -(target * logits.log_softmax(1)).sum(1, keepdim=True)
    return (wrong * where).sum() / where.sum().clamp(min=1)
