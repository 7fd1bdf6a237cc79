"""Normalisation where batch normalisation cannot work."""

from __future__ import annotations

from torch import nn


def spare_pooled_batch_norm(net: nn.Module) -> None:
    """Put group normalisation where an image is pooled to one value a channel.

    Batch normalisation of single values fails for a batch of one image, and is noise for few.

    Parameters
    ----------
    net : torch.nn.Module
        Changed in place.
    """
    for module in list(net.modules()):
        if isinstance(module, nn.Sequential) and any(map(_pools_all, module)):
            _replace(module)


def _replace(module: nn.Module) -> None:
    for name, layer in module.named_children():
        if isinstance(layer, nn.BatchNorm2d):
            setattr(module, name, nn.GroupNorm(1, layer.num_features))
        else:
            _replace(layer)


def _pools_all(layer: nn.Module) -> bool:
    return isinstance(layer, nn.AdaptiveAvgPool2d) and layer.output_size in (1, (1, 1))
