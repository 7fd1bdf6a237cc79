"""What a training will be, before it is begun."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_segment.deep.summary import Summary


def network_preview(pairs: Any, settings: Mapping[str, Any] | None = None) -> Summary:
    """Say what network a training would train, and what it will cost.

    Parameters
    ----------
    pairs : as for `train`
        Images with their reference labels; only the first case is read.
    settings : mapping, optional
        Those of `train`: ``model``, ``patch``, ``batch``, ``device``, …

    Returns
    -------
    Summary
        As of `summary`, for a batch of the training's patches.
    """
    from napari_segment.deep.train.preview import network_preview as preview

    return preview(pairs, settings or {})
