"""Networks before and after their training: what they will be, and what others get of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.api.types import PairsLike

if TYPE_CHECKING:
    from napari_segment.deep.nn.summary import Summary


def network_preview(pairs: PairsLike, settings: Mapping[str, Any] | None = None) -> Summary:
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
    from napari_segment.deep.training.augment_preview import network_preview as preview

    return preview(pairs, settings or {})


def export(checkpoint: str | Path, out: str | Path, *, tile: Sequence[int] = ()) -> Path:
    """Write a trained network as ONNX, for other programs.

    Parameters
    ----------
    checkpoint : path
        Folder of the trained network.
    out : path
        The file, ending with ``.onnx``. Its input is a normalised image ``(B, C, *tile)``, its
        output raw logits; ``model.json`` is in its metadata under the key ``napari_segment``.
    tile : sequence of int
        Spatial size of the input; empty for that of the training patches.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> export("runs/nuclei", "nuclei.onnx")  # doctest: +SKIP
    """
    from napari_segment.deep.checkpoint import Checkpoint
    from napari_segment.exchange.onnx.export import export as written

    return written(Checkpoint.load(checkpoint), Path(out), tuple(tile))
