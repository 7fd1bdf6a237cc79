"""The description of a trained nnU-Net: ``dataset.json`` and ``plans.json`` as typed values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_segment.bounded import read_json
from napari_segment.errors import FormatError
from napari_segment.exchange.nnunet.reading.architecture import Architecture, read_architecture
from napari_segment.exchange.nnunet.reading.labels import LabelTable, read_labels

Scheme: TypeAlias = Literal[
    "ZScoreNormalization", "CTNormalization", "NoNormalization", "RescaleTo01Normalization",
    "RGBTo01Normalization",
]  # fmt: skip
ReaderName: TypeAlias = Literal[
    "SimpleITKIO", "SimpleITKIOWithReorient", "NibabelIO", "NibabelIOWithReorient",
    "NaturalImage2DIO", "Tiff3DIO",
]  # fmt: skip
Positive = Annotated[float, Field(gt=0, lt=1e6, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Order = Annotated[int, Field(ge=0, le=5)]
_DEEPEST = 10


class Resampling(BaseModel):
    """How one of nnU-Net's resampling functions interpolates.

    Parameters
    ----------
    order : int
        Order of the splines, 0 for the nearest voxel and 1 for linear.
    order_z : int
        Order along the axis of low resolution, where planes are resampled one by one.
    separate : bool or None
        Whether they are; None decides by the anisotropy.
    threshold : float
        Ratio of spacings above which they are.
    identity : bool
        Whether nothing is resampled.
    """

    model_config = ConfigDict(frozen=True)

    order: Order = 1
    order_z: Order = 0
    separate: bool | None = None
    threshold: Positive = 3.0
    identity: bool = False


class Configuration(BaseModel):
    """One configuration of the plans, such as "3d_fullres"; axes are transposed as in training.

    Parameters
    ----------
    name : str
        Of the configuration.
    patch : tuple of int
        Size of the tiles.
    spacing : tuple of float
        Distance between voxels that the network was trained on.
    schemes : tuple of str
        Normalisation of each channel.
    masked : tuple of bool
        Whether it is computed from the voxels inside of the nonzero mask.
    data, probabilities, segmentation : Resampling
        Of images, of the network's outputs, and of the labels of a first stage.
    architecture : Architecture
        Of the network.
    previous_stage : str
        The configuration whose labels the network sees as further channels; else empty.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    patch: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(min_length=2, max_length=3)
    spacing: tuple[Positive, ...] = Field(min_length=2, max_length=3)
    schemes: tuple[Scheme, ...]
    masked: tuple[bool, ...]
    data: Resampling
    probabilities: Resampling
    segmentation: Resampling
    architecture: Architecture
    previous_stage: str = ""


class Intensities(BaseModel):
    """Intensities of the foreground of the training images, of one channel."""

    model_config = ConfigDict(frozen=True)

    mean: Finite
    std: Finite
    percentile_00_5: Finite
    percentile_99_5: Finite


class Plans(BaseModel):
    """What the two JSON files of a trained nnU-Net say.

    Parameters
    ----------
    folder : Path
        That holds them.
    title : str
        Name of the data set.
    channels : tuple of str
        Names of the input channels.
    labels : mapping
        Names and numbers, as in ``dataset.json``.
    regions_class_order : tuple of int or None
        Of region-based labels.
    file_ending : str
        Of the training images, such as ".nii.gz".
    reader : str
        Class that read them, which fixes the order of axes.
    transpose_forward, transpose_backward : tuple of int
        From the axes of an image to those of the network, and back.
    intensities : tuple of Intensities
        Of each channel.
    configurations : mapping
        By name, as in ``plans.json``.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    folder: Path
    title: str
    channels: tuple[str, ...]
    labels: Mapping[str, int | tuple[int, ...]]
    regions_class_order: tuple[int, ...] | None = None
    file_ending: str = ".nii.gz"
    reader: ReaderName = "SimpleITKIO"
    transpose_forward: tuple[Annotated[int, Field(ge=0, le=2)], ...]
    transpose_backward: tuple[Annotated[int, Field(ge=0, le=2)], ...]
    intensities: tuple[Intensities, ...]
    configurations: Mapping[str, Mapping[str, Any]]

    @cached_property
    def table(self) -> LabelTable:
        """Label numbers and names."""
        plain = {k: v if isinstance(v, int) else list(v) for k, v in self.labels.items()}
        return read_labels(plain, self.regions_class_order, str(self.folder / "dataset.json"))

    def configuration(self, name: str) -> Configuration:
        """Return a configuration with all that it inherits."""
        source = str(self.folder / "plans.json")
        try:
            return _configuration(name, self._inherited(name), len(self.channels), source)
        except ValidationError as error:
            raise _wrong(source, error) from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            if isinstance(error, FormatError):
                raise
            raise FormatError(f"The configuration {name!r} in {source} lacks {error}.") from None

    def inputs(self, configuration: Configuration) -> int:
        """Return the number of the network's input channels."""
        further = len(self.table.numbers) - 1 if configuration.previous_stage else 0
        return len(self.channels) + further

    def _inherited(self, name: str, depth: int = 0) -> dict[str, Any]:
        if name not in self.configurations or depth > _DEEPEST:
            raise FormatError(
                f"There is no configuration {name!r} in {self.folder / 'plans.json'}, or it "
                f"inherits from itself. It has: {', '.join(self.configurations)}."
            )
        own = dict(self.configurations[name])
        if parent := own.get("inherits_from"):
            return {**self._inherited(str(parent), depth + 1), **own}
        return own


def read_plans(folder: Path) -> Plans:
    """Read ``dataset.json`` and ``plans.json`` of a results folder.

    Raises
    ------
    FormatError
        If one of them is absent, no JSON, or lacks something; with its name.
    """
    folder = Path(folder)
    data, plans = (_mapping(folder / name) for name in ("dataset.json", "plans.json"))
    names: Any = data.get("channel_names", data.get("modality"))
    intensities: Any = plans.get(
        "foreground_intensity_properties_per_channel",
        plans.get("foreground_intensity_properties_by_modality"),
    )
    try:
        count = len(names or ())
        read = Plans(
            folder=folder,
            title=str(plans.get("dataset_name", folder.parent.name)),
            channels=tuple(str(names[str(i)]) for i in range(count)),
            labels=data["labels"],
            regions_class_order=data.get("regions_class_order"),
            file_ending=str(data.get("file_ending", ".nii.gz")),
            reader=plans["image_reader_writer"],
            transpose_forward=plans["transpose_forward"],
            transpose_backward=plans["transpose_backward"],
            intensities=tuple(Intensities(**intensities[str(i)]) for i in range(count)),
            configurations=plans["configurations"],
        )
    except ValidationError as error:
        raise _wrong(str(folder), error) from None
    except (KeyError, TypeError, AttributeError) as error:
        raise FormatError(
            f"The plans in {folder} lack {error}. Give a results folder of nnU-Net v2, with its "
            "dataset.json and plans.json as training wrote them."
        ) from None
    if not read.channels or sorted(read.transpose_forward) != list(
        range(len(read.transpose_forward))
    ):
        raise FormatError(f"{folder} names no channels, or a transpose that is no permutation.")
    _ = read.table  # refused here where it is wrong
    return read


def _mapping(path: Path) -> dict[str, Any]:
    try:
        value = read_json(path)
    except FileNotFoundError:
        raise FormatError(
            f"There is no {path.name} in {path.parent}. Give the folder that training with nnU-Net "
            "wrote, such as nnUNetTrainer__nnUNetPlans__3d_fullres."
        ) from None
    if not isinstance(value, dict):
        raise FormatError(f"{path} is no JSON object.")
    return value


def _configuration(
    name: str, given: Mapping[str, Any], channels: int, source: str
) -> Configuration:
    patch = given["patch_size"]
    read = Configuration(
        name=name,
        patch=patch,
        spacing=given["spacing"],
        schemes=given["normalization_schemes"],
        masked=given["use_mask_for_norm"],
        data=_resampling(given, "data", source),
        probabilities=_resampling(given, "probabilities", source),
        segmentation=_resampling(given, "seg", source),
        architecture=read_architecture(given, len(patch), source),
        previous_stage=given.get("previous_stage") or "",
    )
    if len(read.patch) != len(read.spacing) or len(read.schemes) < channels:
        raise FormatError(
            f"The configuration {name!r} in {source} has a spacing for {len(read.spacing)} axes "
            f"and {len(read.schemes)} normalisations, but patches of {len(read.patch)} axes and "
            f"{channels} channel(s)."
        )
    wrong = [p % d for p, d in zip(read.patch, read.architecture.divisors, strict=True)]
    if any(wrong):
        raise FormatError(
            f"The patches {read.patch} of {name!r} in {source} are no multiples of the network's "
            f"strides {read.architecture.divisors}."
        )
    return read


def _resampling(given: Mapping[str, Any], of: str, source: str) -> Resampling:
    """Read one of the resampling functions by its name, and its settings."""
    function = given[f"resampling_fn_{of}"]
    settings = given.get(f"resampling_fn_{of}_kwargs") or {}
    common = {
        "separate": settings.get("force_separate_z"),
        "threshold": settings.get("separate_z_anisotropy_threshold", 3.0),
    }
    if function == "resample_data_or_seg_to_shape":
        orders = {"order": settings.get("order", 3), "order_z": settings.get("order_z", 0)}
        return Resampling(
            **orders, **{**common, "separate": settings.get("force_separate_z", False)}
        )
    if function in ("resample_torch_fornnunet", "resample_torch_simple"):
        return Resampling(order=1, order_z=0, **common)
    if function == "no_resampling_hack":
        return Resampling(identity=True)
    raise FormatError(
        f"{source} resamples by {function!r}. Known here: resample_data_or_seg_to_shape, "
        "resample_torch_fornnunet and no_resampling_hack."
    )


def _wrong(source: str, error: ValidationError) -> FormatError:
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return FormatError(f"The plans in {source} are wrong at {name!r}: {first['msg']}.")
