"""Write the card of a training: its data, its division, its time, and what was measured on what."""

from __future__ import annotations

import math
import platform
import shlex
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from napari_segment.deep.card import CHOSE, Measured, ModelCard, Part, TrainedCase
from napari_segment.deep.checkpoint import WEIGHTS, Checkpoint
from napari_segment.deep.data.division import Division
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.image import Stack
from napari_segment.io.datasets.case import Source
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.io.hashing import array_hash, content_hash, file_hash
from napari_segment.recipe import Spec
from napari_segment.runtime import threads

_WHERE = frozenset({"out", "resume", "overwrite", "log", "device", "workers"})


@dataclass(frozen=True)
class CardWriter:
    """Writes the card of one training, whenever a better network is kept.

    Parameters
    ----------
    settings : TrainSettings
        As they were given.
    division : Division
        The cases.
    cases : tuple of TrainedCase
        See `trained_cases`.
    device : str
        What it is trained on.
    """

    settings: TrainSettings
    division: Division
    cases: tuple[TrainedCase, ...]
    device: str

    def write(self, *, epochs: int, seconds: float, test: Measured | None = None) -> ModelCard:
        """Write the card of the network that the run folder holds.

        Parameters
        ----------
        epochs : int
            Finished so far.
        seconds : float
            Spent so far.
        test : Measured, optional
            Scores on the cases that chose nothing.
        """
        checkpoint = Checkpoint.load(self.settings.out)
        scores = [test] if test is not None else []
        if checkpoint.scores:
            scores.append(self._validation(checkpoint))
        card = ModelCard(
            title=checkpoint.folder.absolute().name,
            holds=checkpoint.holds,
            classes=tuple(checkpoint.names.values()),
            ndim=checkpoint.ndim,
            channels=checkpoint.channels,
            network=checkpoint.model.name,
            parameters=_parameters(checkpoint.folder / WEIGHTS),
            spacing=checkpoint.spacing,
            unit=checkpoint.unit,
            orientation=checkpoint.orientation,
            data=f"{len(self.cases)} cases",
            split=self.division.description,
            cases=self.cases,
            scores=tuple(scores),
            minutes=round(seconds / 60, 2),
            epochs=epochs,
            hardware=f"{self.device}, {threads()} threads, {platform.system()}",
            command=command_of(self.settings),
            made=datetime.now(UTC).date().isoformat(),
            versions=checkpoint.versions,
            weights=file_hash(checkpoint.folder / WEIGHTS),
        )
        card.save(checkpoint.folder)
        return card

    def _validation(self, checkpoint: Checkpoint) -> Measured:
        """The scores of the checkpoint; without validation cases they are of the training's."""
        validation = self.division.validation
        if not validation:
            return Measured(on="the training cases", chose="the weights", values=checkpoint.scores)
        chose = CHOSE if checkpoint.objects is not None else "the epoch"
        return Measured(
            on=f"{_counted(validation)} of the validation", chose=chose, values=checkpoint.scores
        )


def on_test(items: Sequence[Item], values: dict[str, float]) -> Measured:
    """Return scores with what they were measured on: cases that chose nothing."""
    return Measured(on=f"{_counted(items)} of the test", values=values)


def trained_cases(pairs: Pairs, division: Division) -> tuple[TrainedCase, ...]:
    """Return every case with its part and the hashes of its content.

    Parameters
    ----------
    pairs : Pairs
        Where the cases come from.
    division : Division
        What each is used for.
    """
    parts: tuple[tuple[Part, list[Item]], ...] = (
        ("training", division.training), ("validation", division.validation),
        ("test", division.test),
    )  # fmt: skip
    used = {(item.case, part): item.name for part, items in parts for item in items}
    return tuple(
        TrainedCase(
            name=name, part=part, image=_hash(pairs[case].image), labels=_hash(pairs[case].labels)
        )
        for (case, part), name in used.items()
    )


def command_of(settings: TrainSettings) -> str:
    """Return a training as a command line, without the settings that are as they are anyway."""
    parts = ["napari-segment", "train", "--images", "IMAGES", "--labels", "LABELS", "-o", "RUN"]
    for name, field in TrainSettings.model_fields.items():
        value = getattr(settings, name)
        if name not in _WHERE and value != field.default:
            parts += [f"--{name.replace('_', '-')}", _typed(value)]
    return shlex.join(parts)


def _typed(value: object) -> str:
    if isinstance(value, Spec):
        settings = ",".join(f"{key}={_inner(v)}" for key, v in value.settings.items())
        return f"{value.name}:{settings}" if settings else value.name
    if isinstance(value, tuple | list):
        return ",".join(map(_typed, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _inner(value: object) -> str:
    return f"({_typed(value)})" if isinstance(value, tuple | list) else _typed(value)


def _counted(items: Iterable[Item]) -> str:
    number = len({item.name for item in items})
    return f"{number} case" if number == 1 else f"{number} cases"


def _hash(source: Source) -> str:
    """Return the hash of a file, of files, or of an array; "" where it would need reading."""
    with suppress(OSError):
        if isinstance(source, Path):
            return content_hash(source)
        if isinstance(source, tuple):
            return " ".join(map(content_hash, source))
        if isinstance(source, Stack):
            return array_hash(source.data)
    return ""


def _parameters(weights: Path) -> int:
    """Return how many numbers the network has learnt."""
    from safetensors import safe_open

    with safe_open(weights, "pt") as tensors:
        slices = [tensors.get_slice(name) for name in tensors.keys()]  # noqa: SIM118
        shapes = [s.get_shape() for s in slices if "F" in s.get_dtype()]
    return sum(math.prod(shape) for shape in shapes)
