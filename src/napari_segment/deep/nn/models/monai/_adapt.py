"""Forward hooks that bring MONAI's outputs into order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


def reverse_outputs(
    _module: nn.Module, _inputs: object, outputs: Tensor | list[Tensor]
) -> Tensor | list[Tensor]:
    """Put the last output, the finest, first."""
    return outputs[::-1] if isinstance(outputs, list) else outputs
