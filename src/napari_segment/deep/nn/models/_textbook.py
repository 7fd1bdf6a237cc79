"""Build the U-Net of the textbooks in torch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_LAYERS: dict[int, dict[str, Any]] = {
    2: {
        "convolution": nn.Conv2d, "transposed": nn.ConvTranspose2d, "pool": nn.MaxPool2d,
        "dropout": nn.Dropout2d, "batch": nn.BatchNorm2d, "instance": nn.InstanceNorm2d,
    },
    3: {
        "convolution": nn.Conv3d, "transposed": nn.ConvTranspose3d, "pool": nn.MaxPool3d,
        "dropout": nn.Dropout3d, "batch": nn.BatchNorm3d, "instance": nn.InstanceNorm3d,
    },
}  # fmt: skip


class TextbookUNet(nn.Module):
    """Contracting path, expanding path, and a skip connection at each level.

    Parameters
    ----------
    channels_in, channels_out, ndim, features, levels : int
        Sizes; the channels double at each level.
    norm : {"batch", "instance", "none"}
        After each convolution.
    dropout : float
        After each pooling and each joining.
    """

    def __init__(
        self, channels_in: int, channels_out: int, ndim: int,
        features: int, levels: int, norm: str, dropout: float,
    ) -> None:  # fmt: skip
        super().__init__()
        layers = _LAYERS[ndim]
        filters = [features * 2**i for i in range(levels)]
        self.stride = 2 ** (levels - 1)
        self.least = 2 * self.stride  # normalisation needs more than one voxel at the bottom
        self.pool, self.dropout = layers["pool"](2), layers["dropout"](dropout)
        self.down = nn.ModuleList(
            _double(layers, before, after, norm)
            for before, after in zip([channels_in, *filters], filters, strict=False)
        )
        self.up = nn.ModuleList(
            layers["transposed"](2 * n, n, 2, stride=2) for n in reversed(filters[:-1])
        )
        self.join = nn.ModuleList(_double(layers, 2 * n, n, norm) for n in reversed(filters[:-1]))
        self.last = layers["convolution"](features, channels_out, 1)

    def forward(self, image: Tensor) -> Tensor:
        skips = [self.down[0](image)]
        for level in self.down[1:]:
            skips.append(level(self.dropout(self.pool(skips[-1]))))
        features = skips.pop()
        for up, join in zip(self.up, self.join, strict=True):
            features = join(self.dropout(torch.cat([skips.pop(), up(features)], 1)))
        return self.last(features)


def _double(layers: dict[str, Any], before: int, after: int, norm: str) -> nn.Sequential:
    """Two convolutions, each normalised and rectified."""
    parts: list[nn.Module] = []
    for channels in (before, after):
        convolution = layers["convolution"](channels, after, 3, padding=1, bias=norm == "none")
        nn.init.kaiming_normal_(convolution.weight, nonlinearity="relu")
        parts.append(convolution)
        if norm != "none":
            parts.append(layers[norm](after, affine=True))
        parts.append(nn.ReLU(inplace=True))
    return nn.Sequential(*parts)
