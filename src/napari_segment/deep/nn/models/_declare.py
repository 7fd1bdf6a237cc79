"""Declare what must be known of a network, as plain attributes of its module."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from torch import nn

M = TypeVar("M", bound="nn.Module")


def declare(net: M, **attributes: int | tuple[int, ...]) -> M:
    """Set ``stride``, ``least``, ``supervised`` or ``frozen_epochs`` and return the network.

    See `napari_segment.deep.nn.models` for what they say.
    """
    for name, value in attributes.items():
        setattr(net, name, value)
    return net
