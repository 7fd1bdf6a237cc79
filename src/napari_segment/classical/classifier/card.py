"""A trained forest as a folder: a card, and trees of plain arrays."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_segment.classical.classifier.forest import Forest
from napari_segment.distribution import DISTRIBUTION
from napari_segment.distribution import version as own_version
from napari_segment.errors import FormatError, SettingError
from napari_segment.image.units import length_factor

MODEL = "model.json"
FOREST = "forest.safetensors"
FORMAT = 1
_LARGEST = 2**24  # bytes of a card

Folder: TypeAlias = Annotated[Path, Field(description="Folder of the classifier.")]
Overwrite: TypeAlias = Annotated[bool, Field(description="Replace a classifier in the folder.")]
Trees: TypeAlias = Annotated[int, Field(ge=1, le=10_000, description="Number of trees.")]
MaxDepth: TypeAlias = Annotated[
    Annotated[int, Field(ge=1)] | Literal["none"],
    Field(description='Longest path of a tree; "none" for no limit.'),
]


class ForestCard(BaseModel):
    """What every trained forest says of itself, and how it is stored.

    Parameters
    ----------
    folder : Path
        Where ``model.json`` and ``forest.safetensors`` are. Not written into the file.
    channels : tuple of str
        Names of the image channels it was trained on.
    ndim : {2, 3}
        Spatial dimensions at once.
    unit : str
        Of lengths, and of the spacing of the training images.
    classes : tuple of int
        Label number of each class.
    names : dict of int to str
        Class names by label number.
    samples : dict of int to int
        Number of examples of each class that it learnt from.
    importances : dict of str to float
        Mean decrease in impurity that each feature brought; they sum to 1.
    out_of_bag : float or None
        Fraction of the examples that trees which did not see them classify as given.
    settings : dict
        Those of the training.
    versions : dict of str to str
        Of the packages it was trained with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    title: ClassVar[str]  # "pixel classifier"
    trained_by: ClassVar[str]  # the verb
    of_others: ClassVar[str]  # which method takes a folder of another kind

    folder: Path = Field(exclude=True)
    kind: str
    format: Annotated[int, Field(ge=1, le=FORMAT)] = FORMAT
    channels: tuple[str, ...]
    ndim: Literal[2, 3]
    unit: str
    classes: tuple[int, ...] = Field(min_length=2)
    names: dict[int, str] = Field(default_factory=dict)
    samples: dict[int, int] = Field(default_factory=dict)
    importances: dict[str, float] = Field(default_factory=dict)
    out_of_bag: float | None = None
    settings: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def feature_count(self) -> int:
        """Number of features of an example."""
        raise NotImplementedError

    def name_of(self, number: int) -> str:
        """Name of a class, or its number in words where it has none."""
        return self.names.get(number, f"class {number}")

    def spacing_in_unit(self, spacing: Sequence[float], unit: str, ndim: int) -> tuple[float, ...]:
        """Return a spacing in the unit of the card; as it is where there is no factor."""
        factor = length_factor(unit, self.unit) if unit else 1.0
        return tuple(s * (factor or 1.0) for s in spacing or (1.0,) * ndim)

    # ---- in and out ----

    def save(self, forest: Forest) -> Self:
        """Write the forest, then the card: a folder with a card is whole."""
        from safetensors.numpy import save

        self.folder.mkdir(parents=True, exist_ok=True)
        _replace(self.folder / FOREST, save(forest.arrays()))
        _replace(self.folder / MODEL, (self.model_dump_json(indent=2) + "\n").encode())
        return self

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read the card of a folder (or of the path to ``model.json``).

        Raises
        ------
        FormatError
            If the folder holds nothing of this kind, or a damaged one.
        """
        folder = Path(folder)
        folder = folder.parent if folder.name == MODEL else folder
        card = _read(folder / MODEL, cls.title, cls.trained_by)
        if card.get("kind") != cls.model_fields["kind"].default:
            raise FormatError(f"{folder} holds no {cls.title}. {cls.of_others}")
        try:
            return cls.model_validate({**card, "folder": folder})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            message = f"{folder / MODEL} cannot be used: {first['msg']} (at {where})."
            raise FormatError(message) from None

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
        if forest.classes != len(self.classes) or len(forest.importances) != self.feature_count:
            raise FormatError(
                f"The trees in {path} tell {forest.classes} classes apart by "
                f"{len(forest.importances)} features, but the card says {len(self.classes)} and "
                f"{self.feature_count}. The folder is made of two: train again."
            )
        return forest


def check_free(folder: Path, overwrite: bool) -> None:
    """Refuse to replace what was trained before, unless it is asked for."""
    if (folder / MODEL).exists() and not overwrite:
        raise SettingError(
            f"{folder} holds a trained model already. Give another folder, or allow it to be "
            "replaced (overwrite)."
        )


def trained_with() -> dict[str, str]:
    """Versions of the packages that decide what a training gives."""
    return {DISTRIBUTION: own_version(), "scikit-learn": version("scikit-learn")}


def label_of(classes: NDArray[np.intp], values: Sequence[int]) -> NDArray[Any]:
    """Label numbers of class indices, in the smallest type that holds them."""
    return np.array(values, np.min_scalar_type(max(values)))[classes]


def _read(file: Path, title: str, trained_by: str) -> Mapping[str, Any]:
    try:
        if file.stat().st_size > _LARGEST:
            raise FormatError(f"{file} is larger than {_LARGEST:,} bytes: it is no card.")
        card = json.loads(file.read_text("utf-8"))
    except FormatError:
        raise
    except OSError:
        raise FormatError(
            f"{file.parent} is not the folder of a {title}: it has no {MODEL}. Give the folder "
            f"that '{trained_by}' wrote."
        ) from None
    except ValueError as error:
        raise FormatError(f"{file} is damaged: {error}") from None
    return card if isinstance(card, dict) else {}


def _replace(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole, old or new, whenever the machine stops."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)
