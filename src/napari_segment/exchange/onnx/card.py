"""Card of an ONNX file: what its input and output are, which the file itself does not say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.planning.normalisation import Normalisation
from napari_segment.errors import FormatError
from napari_segment.io.replacing import write_atomically

KEY = "napari_segment"  # of the metadata in the file
_LETTERS = "bczyx"
_EXAMPLE = (
    '{"input_axes": "bcyx", "normalisation": [{"scheme": "percentile"}], "tile": [256, 256], '
    '"activation": "softmax", "classes": ["background", "nucleus"]}'
)


class OnnxCard(BaseModel):
    """Axes, normalisation and classes of an ONNX file, as a JSON file next to it.

    Parameters
    ----------
    input_axes : str
        Letters of "bczyx" (batch, channel, spatial axes) in the order of the file's input.
    output_axes : str
        Of the output; "" for those of the input.
    normalisation : tuple of Normalisation
        One for each image channel.
    tile : tuple of int
        Size of the tiles in voxels, along the spatial axes in the order Z, Y, X.
    activation : {"softmax", "sigmoid", "none"}
        Function from outputs to probabilities; "none" where they are probabilities already.
    classes : tuple of str
        Names of the output channels. With one output, or with "sigmoid", none is background.
    values : tuple of int
        Label number of each class, background first; empty to count from 0.
    holds : {"mask", "classes"}
        Kind of the labels; one class is always a mask.
    spacing : tuple of float
        Spacing to which images are resampled, one number per spatial axis; empty to leave them.
    unit : str
        Unit of the spacing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    input_axes: str = "bcyx"
    output_axes: str = ""
    normalisation: tuple[Normalisation, ...] = Field(min_length=1)
    tile: tuple[int, ...]
    activation: Literal["softmax", "sigmoid", "none"] = "softmax"
    classes: tuple[str, ...] = Field(min_length=1)
    values: tuple[int, ...] = ()
    holds: Literal["mask", "classes"] = "classes"
    spacing: tuple[float, ...] = ()
    unit: str = "pixel"

    @model_validator(mode="after")
    def _is_consistent(self) -> OnnxCard:
        for axes in (self.input_axes, self.output_axes or self.input_axes):
            if len(set(axes)) != len(axes) or not {"y", "x"} <= set(axes) <= set(_LETTERS):
                raise ValueError(f"axes {axes!r} are not different letters of {_LETTERS!r}")
        if len(self.tile) != self.ndim or min(self.tile) < 1:
            raise ValueError(f"'tile' must have {self.ndim} numbers from 1")
        if self.spacing and (len(self.spacing) != self.ndim or min(self.spacing) <= 0):
            raise ValueError(f"'spacing' must have {self.ndim} positive numbers, or none")
        if self.values and len(self.values) != len(self.classes) + (not self.has_background):
            raise ValueError("'values' must have one number for background and for each class")
        return self

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return sum(letter in "zyx" for letter in self.input_axes)

    @property
    def has_background(self) -> bool:
        """Whether the first output is the background."""
        return len(self.classes) > 1 and self.activation != "sigmoid"

    @property
    def names(self) -> dict[int, str]:
        """Class names by label number, without the background."""
        classes = self.classes[1:] if self.has_background else self.classes
        numbers = self.values[1:] or range(1, len(classes) + 1)
        return dict(zip(numbers, classes, strict=True))

    @classmethod
    def load(cls, path: str | Path) -> OnnxCard:
        """Read a card from a JSON file."""
        try:
            return cls._parsed(json.loads(Path(path).read_text("utf-8")), str(path))
        except (OSError, ValueError) as error:
            raise FormatError(f"The card {path} cannot be read: {error}") from None

    def save(self, path: str | Path) -> None:
        """Write the card as a JSON file, atomically."""
        write_atomically(Path(path), (self.model_dump_json(indent=2) + "\n").encode())

    @classmethod
    def _parsed(cls, fields: Any, source: str) -> OnnxCard:
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the whole"
            raise FormatError(
                f"The card {source} cannot be used: {first['msg']} (at {field}). An example of a "
                f"card: {_EXAMPLE}"
            ) from None


def find_card(model: Path, metadata: dict[str, str]) -> OnnxCard:
    """Return the card of an ONNX file: the JSON file next to it, else that in its metadata.

    Parameters
    ----------
    model : Path
        The file ``name.onnx``; its card is ``name.json``.
    metadata : dict of str to str
        Of the file; one that `export` wrote holds the checkpoint's description.
    """
    path = model.with_suffix(".json")
    if path.is_file():
        return OnnxCard.load(path)
    if KEY in metadata:
        return _of_checkpoint(metadata[KEY], model)
    raise FormatError(
        f"{model.name} does not say what its axes, normalisation and classes are. Write them to "
        f"{path}, such as: {_EXAMPLE}"
    )


def _of_checkpoint(text: str, model: Path) -> OnnxCard:
    """Return the card of a file that `export` wrote."""
    try:
        checkpoint = Checkpoint.model_validate({**json.loads(text), "folder": model.parent})
    except (ValueError, TypeError) as error:
        raise FormatError(f"The description in {model} is damaged: {error}") from None
    if checkpoint.objects is not None or checkpoint.slices > 1 or checkpoint.orientation:
        raise FormatError(
            f"{model} is a network of objects, of neighbouring planes or of a given orientation, "
            "which needs its checkpoint: give the folder of the trained network to the method "
            "'network'."
        )
    classes = checkpoint.values[-checkpoint.channels_out :] or range(checkpoint.channels_out)
    names = {0: "background", **checkpoint.names}
    return OnnxCard(
        input_axes="bc" + "zyx"[-checkpoint.ndim :],
        normalisation=checkpoint.normalisation,
        tile=checkpoint.patch,
        activation=checkpoint.activation,
        classes=tuple(names.get(value, f"class {value}") for value in classes),
        values=checkpoint.values,
        holds="mask" if checkpoint.holds == "mask" else "classes",
        spacing=checkpoint.spacing if len(checkpoint.spacing) == checkpoint.ndim else (),
        unit=checkpoint.unit,
    )
