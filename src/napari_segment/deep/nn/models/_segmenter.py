"""Segmenter: the one wrapper around every network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self, TypeAlias

import torch
from torch import Tensor, nn

from napari_segment.errors import InputError
from napari_segment.recipe import Spec

Outputs: TypeAlias = Tensor | Sequence[Tensor] | Mapping[str, Tensor]


class Segmenter(nn.Module):
    """A network for any spatial size: pads to its stride, crops back, gives raw logits.

    Parameters
    ----------
    net : torch.nn.Module
        The network; see `napari_segment.deep.nn.models` for the attributes that are read from it.
    spec : Spec
        Its name and all its settings.
    channels_in, channels_out, ndim : int
        As given to `build`.

    Attributes
    ----------
    stride, least : tuple of int
        What each side of the input is padded to a multiple of, and its least size. Inputs that
        fit already are not padded.
    supervised : bool
        Whether training mode gives a list of logits, the finest first, all of the full size.
    frozen_epochs : int
        For how many epochs the trainer shall keep the encoder frozen; -1 for all, 0 for none.
    """

    def __init__(
        self, net: nn.Module, spec: Spec, channels_in: int, channels_out: int, ndim: int
    ) -> None:
        super().__init__()
        self.net = net
        self.spec, self.ndim = spec, ndim
        self.channels_in, self.channels_out = channels_in, channels_out
        self.stride = _sides(getattr(net, "stride", 1), ndim)
        self.least = _sides(getattr(net, "least", 1), ndim)
        self.supervised = bool(getattr(net, "supervised", False))
        self.frozen_epochs = int(getattr(net, "frozen_epochs", 0))
        self._frozen = False
        self.freeze(self.frozen_epochs != 0)

    def forward(self, image: Tensor) -> Tensor | list[Tensor]:
        """Logits of a batch.

        Parameters
        ----------
        image : tensor (B, channels_in, *S)
            Any S.

        Returns
        -------
        tensor (B, channels_out, *S)
            Raw logits. In training mode of a supervised network a list of such tensors, the
            finest first; what comes after them belongs to `auxiliary` alone.
        """
        size = image.shape[2:]
        self._check(image)
        outputs = _as_list(self.net(pad_to(image, self.padded(size))), self.ndim)
        keep = outputs if self.training and self.supervised else outputs[:1]
        cropped = [self._fitted(o, size) for o in keep]
        return cropped if self.training and self.supervised else cropped[0]

    def _fitted(self, output: Tensor, size: Sequence[int]) -> Tensor:
        """Cropped to the image; what has no spatial sides stays."""
        if output.ndim != self.ndim + 2:
            return output
        return _crop(_resized(output, self.padded(size)), size)

    def padded(self, size: Sequence[int]) -> tuple[int, ...]:
        """Return the size to which an input of this size is padded."""
        sides = zip(size, self.stride, self.least, strict=True)
        return tuple(-(-max(n, least) // stride) * stride for n, stride, least in sides)

    def supervise(
        self,
        outputs: Tensor | list[Tensor],
        target: Tensor,
        loss: Callable[..., Tensor],
        **maps: Tensor,
    ) -> Tensor:
        """Return the training loss of what `forward` gave in training mode.

        Parameters
        ----------
        outputs : tensor or list of tensor
            Of `forward`. A list is weighted 1, 1/2, 1/4, … and normalised to a sum of 1.
        target : tensor (B, channels_out, *S)
            As losses take it.
        loss : callable
            Made by `napari_segment.deep.nn.losses.make`.
        **maps
            Handed on to the loss.

        Returns
        -------
        tensor
            One number.
        """
        auxiliary = getattr(self.net, "auxiliary", None)
        if isinstance(outputs, Tensor):
            return loss(outputs, target, **maps)
        if auxiliary is not None:
            return loss(outputs[0], target, **maps) + auxiliary(outputs, target)
        weights = [0.5**i for i in range(len(outputs))]
        parts = [w * loss(o, target, **maps) for w, o in zip(weights, outputs, strict=True)]
        return torch.stack(parts).sum() / sum(weights)

    def freeze(self, frozen: bool = True) -> None:
        """Keep the encoder's weights and running statistics as they are, or let them learn."""
        encoder = getattr(self.net, "encoder", None)
        if encoder is None or frozen == self._frozen:
            return
        self._frozen = frozen
        encoder.requires_grad_(not frozen)
        encoder.train(self.training and not frozen)

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        if self._frozen:
            self.net.get_submodule(
                "encoder"
            ).eval()  # batch statistics would drift under frozen weights
        return self

    def _check(self, image: Tensor) -> None:
        if image.ndim != self.ndim + 2 or image.shape[1] != self.channels_in:
            raise InputError(
                f"The model {self.spec.name!r} takes batches of shape (batch, {self.channels_in} "
                f"channels, {self.ndim} spatial sides), but got {tuple(image.shape)}."
            )


def pad_to(image: Tensor, size: Sequence[int]) -> Tensor:
    """Pad the far end of each spatial side by repeating the border, up to `size`."""
    amounts = [n - have for n, have in zip(size, image.shape[2:], strict=True)]
    if not any(amounts):
        return image
    pairs = [p for amount in reversed(amounts) for p in (0, amount)]
    return nn.functional.pad(image, pairs, mode="replicate")


def _crop(logits: Tensor, size: Sequence[int]) -> Tensor:
    crop = (slice(None), slice(None), *(slice(n) for n in size))
    return logits[crop]


def _resized(logits: Tensor, size: tuple[int, ...]) -> Tensor:
    """Networks whose heads are coarser than their input come up to its size."""
    if tuple(logits.shape[2:]) == size:
        return logits
    mode = "bilinear" if len(size) == 2 else "trilinear"
    return nn.functional.interpolate(logits, size, mode=mode, align_corners=False)


def _as_list(outputs: Outputs, ndim: int) -> list[Tensor]:
    """One tensor, several stacked at axis 1, a list, a tuple or a mapping: as a list."""
    if isinstance(outputs, Tensor):
        return [outputs] if outputs.ndim == ndim + 2 else list(outputs.unbind(1))
    return list(outputs.values() if isinstance(outputs, Mapping) else outputs)


def _sides(value: int | Sequence[int], ndim: int) -> tuple[int, ...]:
    return (value,) * ndim if isinstance(value, int) else tuple(value)
