"""Results folders of nnU-Net as a kind of models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_segment.deep.card import CARD, ModelCard
from napari_segment.exchange.kinds import Kind, add_kind
from napari_segment.exchange.nnunet.folder import describe, is_results_folder, open_folder


def find(path: Path) -> Path | None:
    """Return the folder if it is one of a trained configuration, or holds one such alone."""
    if not path.is_dir():
        return None
    if is_results_folder(path):
        return path
    inside = [folder for folder in path.glob("*__*__*") if is_results_folder(folder)]
    return path if len(inside) == 1 else None


def card(path: Path) -> ModelCard:
    """Return what the plans say, with what a model card in the folder adds."""
    described = describe(path)
    more = ModelCard.load(path) if (path / CARD).is_file() else ModelCard()
    folds = ", ".join(described["folds"])
    facts = {
        "title": more.title or described["title"],
        "holds": "classes",
        "classes": described["classes"],
        "ndim": described["ndim"],
        "channels": described["channels"],
        "network": f"nnU-Net {described['configuration']}, folds {folds}",
        "spacing": described["spacing"],
        "unit": described["unit"],
    }
    return more.model_copy(update=facts)


def files(path: Path) -> Iterable[Path]:
    """Return the plans, the checkpoints of all folds, and a model card."""
    folder = open_folder(path).folder
    near = [folder / name for name in ("dataset.json", "plans.json", CARD)]
    weights = sorted(folder.glob("fold_*/checkpoint_*.pth"))
    return [file for file in (*near, *weights) if file.is_file() and not file.is_symlink()]


KIND = add_kind(Kind("nnunet", "nnU-Net folder", "nnunet", "model_folder", find, card, files))
