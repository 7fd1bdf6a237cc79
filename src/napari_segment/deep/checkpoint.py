"""Checkpoint: the folder of a trained network, and all that is needed to use it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_segment.arrays import Array
from napari_segment.bounded import read_json
from napari_segment.deep.device import resolve
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.planning.normalisation import Normalisation, Rescale, apply, statistics
from napari_segment.deep.randomness import own_random_numbers
from napari_segment.distribution import DISTRIBUTION
from napari_segment.errors import FormatError
from napari_segment.image import Holds
from napari_segment.io.replacing import write_atomically
from napari_segment.recipe import Spec

if TYPE_CHECKING:
    import torch

MODEL = "model.json"
WEIGHTS = "weights.safetensors"
STATE = "state"
FORMAT = 1
_LARGEST = 2**24  # bytes of a card
# Endings of the names of weights that former versions named otherwise.
_RENAMED_WEIGHTS = {"head.words": "head.codewords"}


Count = Annotated[int, Field(ge=1, le=2**16)]  # of channels, outputs, or voxels along a side
Number = Annotated[int, Field(ge=0, lt=2**32)]  # of a class
Length = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(max_length=1000)]


class Checkpoint(BaseModel):
    """A trained network: what it is, what it was trained on, and where its weights are.

    Parameters
    ----------
    folder : Path
        Where ``model.json`` and ``weights.safetensors`` are. Not written into the file.
    model : Spec
        The entry of the registry `models`, with its settings.
    ndim : int
        Spatial dimensions of the network's input, 2 or 3.
    slices : int
        Of a 2-D network: how many neighbouring planes it sees (2.5-D); 1 for its own only.
        They are its input channels, plane by plane, with the image's channels inside each.
    channels : tuple of str
        Names of the image channels it was trained on.
    channels_out : int
        Outputs of the network.
    activation : {"softmax", "sigmoid"}
        What turns the network's logits into probabilities.
    holds : {"mask", "classes", "objects"}
        What its labels mean.
    values : tuple of int
        Of "mask" and "classes": the label number of background and of each class.
    names : dict of int to str
        Class names by label number.
    normalisation : tuple of Normalisation
        One for each image channel.
    spacing : tuple of float
        Spacing that images are brought to, one number an axis; empty to leave them as they are.
    unit : str
        Unit of the spacing.
    orientation : str
        Anatomical direction of each axis of the training images, such as "SAR" (see
        `napari_segment.image.orientation_of`); images stored otherwise are turned to it and their
        labels turned back. "" where the images had none.
    intensities : tuple of (float, float)
        Of each channel, the 0.5 and 99.5 % quantiles of the training images: the smallest and the
        largest of all cases. Empty where they were not recorded.
    patch : tuple of int
        Size of the patches it was trained on, and of the tiles to predict.
    objects : Objects, optional
        Of "objects": how they are decoded.
    reasons : dict of str to str
        Why each thing was decided as it was.
    scores : dict of str to float
        Of the weights saved, on the validation cases.
    extra : dict
        What a model with its own way of training keeps (anchors of detectors).
    versions : dict of str to str
        Of the packages it was trained with.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    folder: Path = Field(exclude=True)
    format: int = FORMAT
    model: Spec
    ndim: Literal[2, 3]
    slices: int = Field(1, ge=1, le=255)
    channels: tuple[Name, ...] = Field(min_length=1, max_length=2**12)
    channels_out: Count
    activation: Literal["softmax", "sigmoid"]
    holds: Holds
    values: Annotated[tuple[Number, ...], Field(max_length=2**16)] = ()
    names: dict[Number, Name] = Field(default_factory=dict, max_length=2**16)
    normalisation: tuple[Normalisation, ...]
    spacing: Annotated[tuple[Length, ...], Field(max_length=3)] = ()
    unit: Name = "pixel"
    orientation: Name = ""
    intensities: Annotated[tuple[tuple[float, float], ...], Field(max_length=2**16)] = ()
    patch: tuple[Count, ...]
    objects: Objects | None = None
    reasons: dict[str, str] = Field(default_factory=dict)
    scores: dict[str, float] = Field(default_factory=dict)
    extra: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _fits_together(self) -> Checkpoint:
        if len(self.normalisation) != len(self.channels):
            raise ValueError("'normalisation' must have one item for each of 'channels'")
        if len(self.patch) != self.ndim:
            raise ValueError("'patch' must have one number for each of 'ndim' axes")
        return self

    @property
    def channels_in(self) -> int:
        """Input channels of the network: the image's channels times the planes it sees."""
        return len(self.channels) * self.slices

    # ---- in and out ----

    @classmethod
    def load(cls, folder: str | Path) -> Checkpoint:
        """Read ``model.json`` of a folder (or of the path to that file).

        Raises
        ------
        FormatError
            If the folder holds no trained network, or that of a later version.
        """
        folder = Path(folder)
        folder = folder.parent if folder.name == MODEL else folder
        try:
            card = read_json(folder / MODEL, largest=_LARGEST)
        except FormatError:
            raise
        except OSError:
            raise FormatError(
                f"{folder} is not the folder of a trained network: it has no {MODEL}. Give the "
                "folder that `train` wrote, or the name of a model of this machine: see "
                "'napari-segment models'."
            ) from None
        try:
            return cls.model_validate({**_of_this_version(card, folder), "folder": folder})
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            raise FormatError(
                f"{folder / MODEL} cannot be used: {first['msg']} (at {where})."
            ) from None

    def save(self, weights: Mapping[str, torch.Tensor] | None = None) -> Checkpoint:
        """Write ``model.json``, and the weights before it; a reader never meets half a file.

        Parameters
        ----------
        weights : mapping of str to Tensor, optional
            The network's state dict. Without it only ``model.json`` is written.

        Returns
        -------
        Checkpoint
            Itself.
        """
        if weights is not None:
            save_tensors(weights, self.folder / WEIGHTS)
        write_atomically(self.folder / MODEL, (self.model_dump_json(indent=2) + "\n").encode())
        return self

    # ---- use ----

    def network(self, device: str = "cpu") -> torch.nn.Module:
        """Build the network with its weights, ready to predict (in eval mode).

        Parameters
        ----------
        device : str
            As `napari_segment.deep.device.resolve` takes it.

        Returns
        -------
        torch.nn.Module
            ``(B, channels_in, *S)`` to raw logits ``(B, channels_out, *S)``.
        """
        from napari_segment.deep.nn import models

        with own_random_numbers():
            network = models.build(
                self.model, self.channels_in, self.channels_out, self.ndim, pretrained=False
            )
        weights = load_tensors(self.folder / WEIGHTS)
        try:
            network.load_state_dict(weights)
        except RuntimeError as error:
            first = str(error).splitlines()[-1].strip()
            raise FormatError(
                f"The weights in {self.folder} do not fit the model {self.model.name!r} of this "
                f"version: {first}"
            ) from None
        return network.eval().to(resolve(device))

    def statistics(self, image: Array) -> tuple[Rescale, ...]:
        """Measure an image ``(C, *S)`` (NumPy, Dask or zarr) for `apply`; small numbers."""
        return statistics(image, self.normalisation)

    def apply(self, block: NDArray[Any], numbers: tuple[Rescale, ...]) -> NDArray[np.float32]:
        """Normalise a block ``(C, *block)`` of the image whose `statistics` are given."""
        return apply(block, numbers)


def versions() -> dict[str, str]:
    """Versions of the packages that a training depends on."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    versions_of = {"python": platform.python_version()}
    for name in (DISTRIBUTION, "torch", "monai", "segmentation-models-pytorch", "numpy"):
        try:
            versions_of[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions_of


def save_tensors(tensors: Mapping[str, torch.Tensor], path: Path) -> None:
    """Write named tensors as safetensors; tensors that share memory are written apart."""
    from safetensors.torch import save

    # A clone may keep an odd stride (channels last): the file holds plain C order.
    plain = {k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}
    write_atomically(path, save(plain))


def load_tensors(path: Path) -> dict[str, torch.Tensor]:
    """Read a safetensors file onto the CPU.

    Raises
    ------
    FormatError
        If it is missing or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors: dict[str, torch.Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise FormatError(f"Cannot read the weights {path}: {error}") from None
    return current_names(tensors)


def current_names(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Give the weights of a former version the names of this one."""
    return {_current_name(name): tensor for name, tensor in tensors.items()}


def _current_name(name: str) -> str:
    for former, current in _RENAMED_WEIGHTS.items():
        if name.endswith(former):
            return name.removesuffix(former) + current
    return name


def _of_this_version(card: object, folder: Path) -> dict[str, Any]:
    number = card.get("format", FORMAT) if isinstance(card, dict) else None
    if not isinstance(card, dict) or not isinstance(number, int) or number > FORMAT:
        raise FormatError(
            f"{folder / MODEL} was written by a later version of napari-segment. Update it."
        )
    return card
