"""Card of a model: what it segments, what it learnt from, how good it is, and measured on what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_segment.bounded import read_json
from napari_segment.errors import FormatError
from napari_segment.io.replacing import write_atomically

CARD, CARD_TEXT = "card.json", "card.md"
CHOSE = "the epoch and the decoding"  # what validation cases choose
_LARGEST = 2**26  # bytes: a line for each case
_SHOWN = 20  # cases that the text names

Part: TypeAlias = Literal["training", "validation", "test"]
Line: TypeAlias = Annotated[str, Field(max_length=10_000)]


class TrainedCase(BaseModel):
    """One case of a training.

    Parameters
    ----------
    name : str
        Its name.
    part : {"training", "validation", "test"}
        What it was used for; those of the test choose nothing.
    image, labels : str
        Hashes of their content, "sha256:…"; "" where none was computed.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: Line
    part: Part
    image: Line = ""
    labels: Line = ""


class Measured(BaseModel):
    """Scores, and what they were measured on.

    Parameters
    ----------
    on : str
        The cases, such as "24 cases of the test".
    chose : str
        What these cases chose ("the epoch and the decoding"); "" where they chose nothing.
    values : dict of str to float
        Scores by name.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    on: Line
    chose: Line = ""
    values: dict[str, float] = Field(default_factory=dict, max_length=10_000)

    def __str__(self) -> str:
        values = ", ".join(f"{name} {value:.3f}" for name, value in self.values.items())
        return f"{values} on {self.on}, {self.caution}"

    @property
    def caution(self) -> str:
        """Whether the cases chose something, in words."""
        return f"which also chose {self.chose}" if self.chose else "which chose nothing"


class ModelCard(BaseModel):
    """What is known of a model; everything may be missing.

    Parameters
    ----------
    title : str
        Name for a person.
    segments : str
        What it segments, in which images.
    holds : str
        "mask", "classes" or "objects".
    classes : tuple of str
        Names of the classes.
    ndim : int
        Spatial dimensions of its input, 2 or 3; 0 where that is not known.
    channels : tuple of str
        Names of the image channels.
    network : str
        Architecture.
    parameters : int
        Numbers that were learnt.
    spacing : tuple of float
        Spacing of the images that it sees.
    unit : str
        Of the spacing.
    orientation : str
        Anatomical direction of each axis.
    licence : str
        Of the weights, as an SPDX identifier or in words.
    authors, citation, source : str
        Who made it, what to cite, and where it comes from.
    data : str
        What it was trained on, in words.
    split : str
        How the cases were divided.
    cases : tuple of TrainedCase
        All cases.
    scores : tuple of Measured
        How good it is.
    minutes : float
        Time of the training.
    epochs : int
        Epochs of the training.
    hardware : str
        What it was trained on.
    command : str
        The training as a command line.
    made : str
        Date of the training.
    versions : dict of str to str
        Of the packages it was trained with.
    weights : str
        Hash of the weights, "sha256:…".
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: int = 1
    title: Line = ""
    segments: Line = ""
    holds: Line = ""
    classes: tuple[Line, ...] = ()
    ndim: int = 0
    channels: tuple[Line, ...] = ()
    network: Line = ""
    parameters: int = 0
    spacing: tuple[float, ...] = ()
    unit: Line = ""
    orientation: Line = ""
    licence: Line = ""
    authors: Line = ""
    citation: Line = ""
    source: Line = ""
    data: Line = ""
    split: Line = ""
    cases: tuple[TrainedCase, ...] = ()
    scores: tuple[Measured, ...] = ()
    minutes: float = 0.0
    epochs: int = 0
    hardware: Line = ""
    command: Line = ""
    made: Line = ""
    versions: dict[str, str] = Field(default_factory=dict, max_length=1000)
    weights: Line = ""

    @classmethod
    def load(cls, folder: Path) -> ModelCard:
        """Read ``card.json`` of a folder; an empty card where there is none.

        Raises
        ------
        FormatError
            If it is damaged.
        """
        path = folder / CARD
        try:
            return cls.model_validate(read_json(path, largest=_LARGEST))
        except FileNotFoundError:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise FormatError(f"{path} cannot be used: {first['msg']} (at {where}).") from None

    def save(self, folder: Path) -> None:
        """Write ``card.json``, and the same in words as ``card.md``."""
        text = self.model_dump_json(indent=1, exclude_defaults=True)
        write_atomically(folder / CARD, (text + "\n").encode())
        write_atomically(folder / CARD_TEXT, self.to_markdown().encode())

    def count(self, part: Part) -> int:
        """Return the number of cases in a part."""
        return sum(case.part == part for case in self.cases)

    @property
    def best(self) -> Measured | None:
        """The scores to judge the model by: those on cases that chose nothing, where there are."""
        return min(self.scores, key=lambda scores: bool(scores.chose), default=None)

    # ---- in words ----

    def facts(self) -> dict[str, str]:
        """Return what is known in short, by what it is; without scores and cases."""
        kind = " of ".join(
            part for part in (self.holds, f"{self.ndim}-D images" if self.ndim else "") if part
        )
        spacing = " × ".join(f"{s:.4g}" for s in self.spacing)
        learnt = ", ".join(
            part
            for part in (
                f"{self.epochs} epochs" if self.epochs else "",
                f"{self.minutes:.0f} minutes" if self.minutes else "",
                self.hardware,
            )
            if part
        )
        facts = {
            "segments": self.segments,
            "result": kind,
            "classes": ", ".join(self.classes),
            "channels": ", ".join(self.channels),
            "network": self.network + (f", {self.parameters:,} parameters" * bool(self.parameters)),
            "spacing": f"{spacing} {self.unit}".strip() if spacing else "",
            "orientation": self.orientation,
            "licence": self.licence,
            "authors": self.authors,
            "citation": self.citation,
            "source": self.source,
            "training data": self.data,
            "cases": self.split,
            "trained": " · ".join(part for part in (self.made, learnt) if part),
            "weights": self.weights,
        }
        return {name: value for name, value in facts.items() if value}

    def to_markdown(self) -> str:
        """Return the card as text."""
        lines = [f"# {self.title or 'Model'}", ""]
        lines += ["| | |", "|---|---|"]
        lines += [f"| {name} | {_cell(value)} |" for name, value in self.facts().items()]
        if self.scores:
            lines += ["", "## Scores", ""]
            lines += [f"- {scores}" for scores in self.scores]
        if self.command:
            lines += ["", "## Training", "", "```sh", self.command, "```"]
        if self.cases:
            lines += ["", "## Cases", ""]
            lines += [self._named(part) for part in ("training", "validation", "test")]
            lines += ["", f"Hashes of their content are in `{CARD}`."]
        if self.versions:
            known = ", ".join(f"{name} {version}" for name, version in self.versions.items())
            lines += ["", f"Versions: {known}."]
        return "\n".join(lines) + "\n"

    def _named(self, part: Part) -> str:
        names = [case.name for case in self.cases if case.part == part]
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        listed = f": {', '.join(names[:_SHOWN])}{more}" if names else ""
        return f"- {part}: {len(names)} cases{_cell(listed)}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
