"""A trained pixel classifier: a folder with a card and a forest of plain arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_segment.classical.classifier.features import FeatureSet, Kind
from napari_segment.classical.classifier.forest import Forest
from napari_segment.errors import FormatError
from napari_segment.image.units import length_factor

MODEL = "model.json"
FOREST = "forest.safetensors"
FORMAT = 1
_LARGEST = 2**24  # bytes of a card


class PixelClassifier(BaseModel):
    """A trained pixel classifier: what it sees, what it tells apart, and where its trees are.

    Parameters
    ----------
    folder : Path
        Where ``model.json`` and ``forest.safetensors`` are. Not written into the file.
    channels : tuple of str
        Names of the image channels it was trained on.
    ndim : {2, 3}
        Spatial dimensions at once.
    scales : tuple of float
        Standard deviations of the Gaussians of its features, in `unit`.
    features : tuple of str
        What is derived at each scale, as in `FeatureSet`.
    unit : str
        Of the scales, and of the spacing of the training images.
    spacing : tuple of float
        Of the first training image.
    classes : tuple of int
        Label number of each class.
    names : dict of int to str
        Class names by label number.
    background : int or "none"
        The class that becomes 0 in results.
    samples : dict of int to int
        Labelled voxels of each class that it learnt from.
    importances : dict of str to float
        Mean decrease in impurity that each feature brought; they sum to 1.
    out_of_bag : float or None
        Fraction of the labelled voxels that trees which did not see them classify as painted.
    settings : dict
        Those of the training.
    versions : dict of str to str
        Of the packages it was trained with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    folder: Path = Field(exclude=True)
    kind: Literal["pixel_classifier"] = "pixel_classifier"
    format: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT
    channels: tuple[str, ...] = Field(min_length=1)
    ndim: Literal[2, 3]
    scales: tuple[float, ...] = Field(min_length=1)
    features: tuple[Kind, ...] = Field(min_length=1)
    unit: str
    spacing: tuple[float, ...]
    classes: tuple[int, ...] = Field(min_length=2)
    names: dict[int, str] = Field(default_factory=dict)
    background: int | Literal["none"] = "none"
    samples: dict[int, int] = Field(default_factory=dict)
    importances: dict[str, float] = Field(default_factory=dict)
    out_of_bag: float | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def feature_set(self) -> FeatureSet:
        return FeatureSet(self.scales, self.features)

    @property
    def values(self) -> tuple[int, ...]:
        """Every label number that can come out, in the order of the classes."""
        return tuple(0 if c == self.background else c for c in self.classes)

    def spacing_in_unit(self, spacing: Sequence[float], unit: str, ndim: int) -> tuple[float, ...]:
        """The spacing of an image in the unit of the scales; as it is where there is no factor."""
        factor = length_factor(unit, self.unit) if unit else 1.0
        return tuple(s * (factor or 1.0) for s in spacing or (1.0,) * ndim)

    # ---- in and out ----

    def save(self, forest: Forest) -> PixelClassifier:
        """Write the forest, then the card: a folder with a card is whole."""
        from safetensors.numpy import save

        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(self.folder / FOREST, save(forest.arrays()))
        _replace(self.folder / MODEL, (self.model_dump_json(indent=2) + "\n").encode())
        return self

    @classmethod
    def load(cls, folder: str | Path) -> PixelClassifier:
        """Read the card of a folder (or of the path to ``model.json``).

        Raises
        ------
        FormatError
            If the folder holds no pixel classifier, or a damaged one.
        """
        folder = Path(folder)
        folder = folder.parent if folder.name == MODEL else folder
        file = folder / MODEL
        try:
            if file.stat().st_size > _LARGEST:
                raise FormatError(f"{file} is larger than {_LARGEST:,} bytes: it is no card.")
            card = json.loads(file.read_text("utf-8"))
        except OSError:
            raise FormatError(
                f"{folder} is not the folder of a pixel classifier: it has no {MODEL}. Give the "
                "folder that 'train_classifier' wrote."
            ) from None
        except ValueError as error:
            raise FormatError(f"{file} is damaged: {error}") from None
        if not isinstance(card, dict) or card.get("kind") != "pixel_classifier":
            raise FormatError(
                f"{folder} holds no pixel classifier. If it holds a network, use the method "
                "'network'."
            )
        try:
            return cls.model_validate({**card, "folder": folder})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise FormatError(f"{file} cannot be used: {first['msg']} (at {where}).") from None

    def forest(self) -> Forest:
        """Read the trees; arrays only, so that nothing in the file can run.

        Raises
        ------
        FormatError
            If they are missing, damaged, or do not fit the card.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        path = self.folder / FOREST
        try:
            forest = Forest.from_arrays(load_file(path), str(path))
        except (OSError, SafetensorError) as error:
            raise FormatError(f"Cannot read the trees {path}: {error}") from None
        width = len(self.feature_set.names(self.channels, self.ndim))
        if forest.classes != len(self.classes) or len(forest.importances) != width:
            raise FormatError(
                f"The trees in {path} tell {forest.classes} classes apart by "
                f"{len(forest.importances)} features, but the card says {len(self.classes)} and "
                f"{width}. The folder is made of two: train again."
            )
        return forest


def label_of(classes: NDArray[np.intp], values: Sequence[int]) -> NDArray[Any]:
    """Label numbers of class indices, in the smallest type that holds them."""
    return np.array(values, np.min_scalar_type(max(values)))[classes]


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, old or new, whenever the machine stops."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
