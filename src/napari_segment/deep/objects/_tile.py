"""One tile through a detector (torch)."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from napari_segment.deep.predict._parts import cast


@torch.inference_mode()
def found_in(
    network: Any, tile: NDArray[np.float32], device: torch.device, fast: bool
) -> dict[str, NDArray[Any]]:
    """Boxes, scores, classes and small masks of one tile ``(C, Y, X)``, as arrays."""
    image = torch.from_numpy(np.ascontiguousarray(tile))[None].to(device)
    with cast(device, fast):
        (outputs,) = network(image)
    return {name: value.float().cpu().numpy() for name, value in outputs.items()}
