"""Layer: one layer of a network as it ran."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """One layer as it ran.

    Parameters
    ----------
    name, kind : str
        Its place in the network, such as "model.0.conv", and its class.
    shape : tuple of int
        Of its output, without the batch: ``(C, *S)``.
    parameters : int
        Numbers it learns.
    inputs : tuple of int
        Positions of the layers whose output reaches it, -1 for the image.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    inputs: tuple[int, ...]
