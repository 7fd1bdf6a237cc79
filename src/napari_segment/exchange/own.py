"""Networks trained by this project as a kind of models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from napari_segment.deep.card import CARD, CARD_TEXT, Measured, ModelCard
from napari_segment.deep.checkpoint import MODEL, WEIGHTS, Checkpoint
from napari_segment.exchange.kinds import Kind, add_kind
from napari_segment.io.hashing import file_hash

COVER = "cover.png"
_PARTS = (MODEL, WEIGHTS, CARD, CARD_TEXT, COVER)


def find(path: Path) -> Path | None:
    """Return the folder of a checkpoint."""
    folder = path.parent if path.name == MODEL else path
    return folder if all((folder / name).is_file() for name in (MODEL, WEIGHTS)) else None


def card(path: Path) -> ModelCard:
    """Return the card that training wrote; of a run of before, what its checkpoint says."""
    written = ModelCard.load(path)
    if written.network:
        return written
    checkpoint = Checkpoint.load(path)
    chose = "the epoch, and the decoding of objects"
    scores = [Measured(on="the validation cases", chose=chose, values=checkpoint.scores)]
    return ModelCard(
        title=path.absolute().name,
        holds=checkpoint.holds,
        classes=tuple(checkpoint.names.values()),
        ndim=checkpoint.ndim,
        channels=checkpoint.channels,
        network=checkpoint.model.name,
        spacing=checkpoint.spacing,
        unit=checkpoint.unit,
        orientation=checkpoint.orientation,
        scores=tuple(scores) if checkpoint.scores else (),
        versions=checkpoint.versions,
        weights=file_hash(path / WEIGHTS),
    )


def files(path: Path) -> Iterable[Path]:
    """Return what is needed to predict, and the card."""
    return [path / name for name in _PARTS if (path / name).is_file()]


def picture(path: Path) -> Path | None:
    """Return the cover; else the last preview of the training."""
    if (path / COVER).is_file():
        return path / COVER
    return max((path / "previews").glob("epoch_*.png"), default=None)


KIND = add_kind(
    Kind("network", "trained network", "network", "checkpoint", find, card, files, picture)
)
