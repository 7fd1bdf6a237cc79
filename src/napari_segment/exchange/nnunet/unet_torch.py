"""The U-Nets of nnU-Net, with the parameter names of its checkpoints (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from napari_segment.exchange.nnunet.reading.architecture import Architecture, Sides

_CONV: dict[int, Any] = {2: nn.Conv2d, 3: nn.Conv3d}
_TRANSPOSED: dict[int, Any] = {2: nn.ConvTranspose2d, 3: nn.ConvTranspose3d}
_POOL: dict[int, Any] = {2: nn.AvgPool2d, 3: nn.AvgPool3d}
_NORM: dict[tuple[str, int], Any] = {
    ("instance", 2): nn.InstanceNorm2d, ("instance", 3): nn.InstanceNorm3d,
    ("batch", 2): nn.BatchNorm2d, ("batch", 3): nn.BatchNorm3d,
}  # fmt: skip


class UNet(nn.Module):
    """A U-Net of nnU-Net [1]_: the logits at full resolution.

    Parameters
    ----------
    channels_in, channels_out : int
        Of the input and of the logits.
    architecture : Architecture
        Stages, widths, kernels and strides.

    References
    ----------
    .. [1] Isensee F et al. (2021) nnU-Net. Nat Methods 18:203-211.
       https://doi.org/10.1038/s41592-020-01008-z
    """

    def __init__(self, channels_in: int, channels_out: int, architecture: Architecture) -> None:
        super().__init__()
        plain = architecture.kind == "PlainConvUNet"
        self.encoder = (_PlainEncoder if plain else _ResidualEncoder)(channels_in, architecture)
        self.decoder = _Decoder(channels_out, architecture)

    def forward(self, block: Tensor) -> Tensor:
        return self.decoder(self.encoder(block))


class _ConvBlock(nn.Module):
    """A convolution, a normalisation and an activation."""

    def __init__(
        self, channels_in: int, channels_out: int, kernel: Sides, stride: Sides,
        architecture: Architecture, *, bias: bool | None = None, activated: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.conv = _CONV[architecture.ndim](
            channels_in, channels_out, kernel, stride, [(k - 1) // 2 for k in kernel],
            bias=architecture.bias if bias is None else bias,
        )  # fmt: skip
        self.norm = _norm(channels_out, architecture)
        self.activation = _activation(architecture) if activated else nn.Identity()
        self.activation_first = architecture.activation_first

    def forward(self, block: Tensor) -> Tensor:
        block = self.conv(block)
        if self.activation_first:
            return self.norm(self.activation(block))
        return self.activation(_normalised(self.norm, block))


class _ConvBlocks(nn.Module):
    """Some convolutions one after the other; the first has the stride."""

    def __init__(
        self, count: int, channels_in: int, channels_out: int, kernel: Sides, stride: Sides,
        architecture: Architecture,
    ) -> None:  # fmt: skip
        super().__init__()
        ones = (1,) * architecture.ndim
        self.convs = nn.Sequential(
            _ConvBlock(channels_in, channels_out, kernel, stride, architecture),
            *(
                _ConvBlock(channels_out, channels_out, kernel, ones, architecture)
                for _ in range(count - 1)
            ),
        )

    def forward(self, block: Tensor) -> Tensor:
        return self.convs(block)


class _PlainEncoder(nn.Module):
    def __init__(self, channels_in: int, architecture: Architecture) -> None:
        super().__init__()
        stages = []
        for count, channels_out, kernel, stride in _stages(architecture):
            stages.append(
                nn.Sequential(
                    _ConvBlocks(count, channels_in, channels_out, kernel, stride, architecture)
                )
            )
            channels_in = channels_out
        self.stages = nn.Sequential(*stages)

    def forward(self, block: Tensor) -> list[Tensor]:
        return _outputs(self.stages, block)


class _ResidualBlock(nn.Module):
    """Two convolutions, or three with a bottleneck, added to their input (ResNet-D)."""

    def __init__(
        self, channels_in: int, channels_out: int, inner: int, kernel: Sides, stride: Sides,
        architecture: Architecture,
    ) -> None:  # fmt: skip
        super().__init__()
        ones = (1,) * architecture.ndim
        if inner:
            self.conv1 = _ConvBlock(channels_in, inner, ones, ones, architecture)
            self.conv2 = _ConvBlock(inner, inner, kernel, stride, architecture)
            self.conv3 = _ConvBlock(inner, channels_out, ones, ones, architecture, activated=False)
        else:
            self.conv1 = _ConvBlock(channels_in, channels_out, kernel, stride, architecture)
            self.conv2 = _ConvBlock(
                channels_out, channels_out, kernel, ones, architecture, activated=False
            )
        self.count = 3 if inner else 2
        self.activation = _activation(architecture)
        skip: list[nn.Module] = []
        if any(s != 1 for s in stride):
            skip.append(_POOL[architecture.ndim](stride, stride))
        if channels_in != channels_out:
            skip.append(
                _ConvBlock(
                    channels_in, channels_out, ones, ones, architecture, bias=False, activated=False
                )
            )
        self.skip = nn.Sequential(*skip)

    def forward(self, block: Tensor) -> Tensor:
        result = self.conv2(self.conv1(block))
        if self.count == 3:
            result = self.conv3(result)
        return self.activation(result + self.skip(block))


class _ResidualBlocks(nn.Module):
    def __init__(self, blocks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*blocks)

    def forward(self, block: Tensor) -> Tensor:
        return self.blocks(block)


class _ResidualEncoder(nn.Module):
    def __init__(self, channels_in: int, architecture: Architecture) -> None:
        super().__init__()
        ones = (1,) * architecture.ndim
        width = architecture.stem or architecture.features[0]
        kernel = architecture.kernel_sizes[0]
        self.stem = _ConvBlocks(1, channels_in, width, kernel, ones, architecture)
        inner = architecture.bottleneck or (0,) * len(architecture.features)
        stages = []
        for (count, channels_out, kernel, stride), narrow in zip(
            _stages(architecture), inner, strict=True
        ):
            blocks = [
                _ResidualBlock(
                    channels_out if i else width, channels_out, narrow, kernel,
                    ones if i else stride, architecture,
                )
                for i in range(count)
            ]  # fmt: skip
            stages.append(_ResidualBlocks(blocks))
            width = channels_out
        self.stages = nn.Sequential(*stages)

    def forward(self, block: Tensor) -> list[Tensor]:
        return _outputs(self.stages, self.stem(block))


class _Decoder(nn.Module):
    """Transposed convolutions, each joined with the encoder's output of its resolution."""

    def __init__(self, channels_out: int, architecture: Architecture) -> None:
        super().__init__()
        ones, ndim = (1,) * architecture.ndim, architecture.ndim
        transposed, stages = [], []
        features, last = architecture.features, len(architecture.features) - 1
        for step, count in enumerate(architecture.decoder):
            below, width = features[last - step], features[last - step - 1]
            stride, kernel = (
                architecture.strides[last - step],
                architecture.kernel_sizes[last - step - 1],
            )
            transposed.append(
                _TRANSPOSED[ndim](below, width, stride, stride, bias=architecture.bias)
            )
            stages.append(_ConvBlocks(count, 2 * width, width, kernel, ones, architecture))
        self.transpconvs = nn.ModuleList(transposed)
        self.stages = nn.ModuleList(stages)
        # Outputs of coarser stages served the training alone.
        head = _CONV[ndim](features[0], channels_out, 1)
        self.seg_layers = nn.ModuleDict({str(last - 1): head})

    def forward(self, skips: list[Tensor]) -> Tensor:
        block = skips.pop()
        for transposed, stage in zip(self.transpconvs, self.stages, strict=True):
            first, *others = next(stage.children()).children()  # its convolutions
            block = first(torch.cat((transposed(block), skips.pop()), 1))  # freed before the rest
            for conv in others:
                block = conv(block)
        (head,) = self.seg_layers.values()
        return head(block)


def _stages(architecture: Architecture) -> Sequence[tuple[int, int, Sides, Sides]]:
    return list(
        zip(
            architecture.blocks, architecture.features, architecture.kernel_sizes,
            architecture.strides, strict=True,
        )
    )  # fmt: skip


def _outputs(stages: nn.Sequential, block: Tensor) -> list[Tensor]:
    outputs = []
    for stage in stages:
        block = stage(block)
        outputs.append(block)
    return outputs


def _norm(channels: int, architecture: Architecture) -> nn.Module:
    if architecture.norm == "none":
        return nn.Identity()
    kind = _NORM[architecture.norm, architecture.ndim]
    return kind(channels, eps=architecture.eps, affine=architecture.affine)


def _normalised(norm: nn.Module, block: Tensor) -> Tensor:
    """Normalise each channel of each item in place on the CPU: the largest tensor less."""
    plain = block.device.type == "cpu" and block.dtype == torch.float32
    in_place = plain and not torch.is_grad_enabled()
    if not (in_place and isinstance(norm, nn.InstanceNorm2d | nn.InstanceNorm3d)):
        return norm(block)
    axes = tuple(range(2, block.ndim))
    variance, mean = torch.var_mean(block, axes, correction=0, keepdim=True)
    scale = torch.rsqrt(variance + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight.reshape(1, -1, *[1] * len(axes))
    shift = -mean * scale
    if norm.bias is not None:
        shift = shift + norm.bias.reshape(1, -1, *[1] * len(axes))
    return block.mul_(scale).add_(shift)


def _activation(architecture: Architecture) -> nn.Module:
    match architecture.activation:
        case "leaky_relu":
            return nn.LeakyReLU(architecture.slope, inplace=True)
        case "relu":
            return nn.ReLU(inplace=True)
        case "gelu":
            return nn.GELU()
        case "elu":
            return nn.ELU()
        case "none":
            return nn.Identity()
