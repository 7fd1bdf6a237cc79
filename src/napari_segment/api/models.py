"""Verbs of models: what is known of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_segment.deep.card import ModelCard


def model_card(folder: str | Path) -> ModelCard:
    """Return what is known of a trained network, and what its scores were measured on."""
    from napari_segment.deep.card import ModelCard

    return ModelCard.load(Path(folder))
