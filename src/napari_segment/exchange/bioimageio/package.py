"""Description of a BioImage.IO model: input, output, processing and weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from napari_segment.bounded import load_yaml
from napari_segment.errors import FormatError
from napari_segment.exchange.archives import unpacked
from napari_segment.io import suffix
from napari_segment.io.models_folder import located

NAMES = ("bioimageio.yaml", "rdf.yaml", "model.yaml")
_TYPES = {"batch": "b", "channel": "c", "time": "t"}
_FULL = {2: 512, 3: 128}  # a side of a tile where the model leaves it open


@dataclass(frozen=True)
class Side:
    """One axis of a tensor: its letter of "bczyx", and the sizes that it may have.

    Parameters
    ----------
    letter : str
        One of "bczyx".
    size : int
        The only size; 0 where there are several, ``least + n * step``.
    least, step : int
        See `size`.
    halo : int
        Of outputs: number of invalid voxels at each end.
    """

    letter: str
    size: int = 0
    least: int = 1
    step: int = 1
    halo: int = 0

    def near(self, wanted: int) -> int:
        """Return the smallest allowed size that is not less than a wanted one."""
        if self.size:
            return self.size
        if self.step < 1:
            return self.least
        return self.least + max(-(-(wanted - self.least) // self.step), 0) * self.step


@dataclass(frozen=True)
class Operation:
    """One step before or after the network, by BioImage.IO's name."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Package:
    """A model with one image as input, and an output of the same size.

    Parameters
    ----------
    name : str
        Name of the model.
    folder : Path
        Folder of the description.
    weights : Path
        The ONNX file.
    input_axes, output_axes : tuple of Side
        Axes of the input and of the output, in their order.
    preprocessing, postprocessing : tuple of Operation
        In the order in which they run.
    channels : tuple of str
        Names of the output's channels.
    description : mapping
        The whole ``bioimageio.yaml``, as plain values.
    """

    name: str
    folder: Path
    weights: Path
    input_axes: tuple[Side, ...]
    output_axes: tuple[Side, ...]
    preprocessing: tuple[Operation, ...] = ()
    postprocessing: tuple[Operation, ...] = ()
    channels: tuple[str, ...] = ()
    description: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def spatial(self) -> tuple[Side, ...]:
        """The input's spatial axes in the order ZYX."""
        return tuple(s for letter in "zyx" for s in self.input_axes if s.letter == letter)

    def tile(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Return sizes that the model allows, near 512² or 128³, no larger than the image needs."""
        full = _FULL[len(self.spatial)]
        sizes = shape[-len(self.spatial) :]
        return tuple(s.near(min(full, n)) for s, n in zip(self.spatial, sizes, strict=True))

    def overlap(self, tile: Sequence[int], wanted: float) -> float:
        """Return the overlap at which no voxel lies in halos alone."""
        halo = {s.letter: s.halo for s in self.output_axes}
        least = [
            2 * halo.get(s.letter, 0) / t for s, t in zip(self.spatial, tile, strict=True) if t > 1
        ]
        return min(max([wanted, *least]), 0.9)


def open_package(path: str | Path) -> Package:
    """Read the description of a model: spec versions 0.4 and 0.5, with ONNX weights.

    Nothing of the package is executed, and nothing is downloaded.

    Parameters
    ----------
    path : str or Path
        The folder, its ``bioimageio.yaml``, or the zip file as downloaded.

    Raises
    ------
    FormatError
        If it is no such model, or one that cannot be used here, saying why.
    """
    file = _description(located(Path(path)))
    description = _parsed(file)
    try:
        return _package(description, file)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise FormatError(
            f"{file} does not describe a model as BioImage.IO 0.4 or 0.5 does: {error!r}."
        ) from None


def _description(path: Path) -> Path:
    if path.is_file() and suffix(path) == ".zip":
        path = unpacked(path)
    if path.is_file():
        return path
    files = [path / name for name in NAMES if (path / name).is_file()]
    if not files:
        raise FormatError(
            f"{path} is no BioImage.IO package: it holds none of {', '.join(NAMES)}. Give the "
            "folder or the zip file of a model."
        )
    return files[0]


def _parsed(file: Path) -> dict[str, Any]:
    try:
        description = load_yaml(file.read_text("utf-8"), str(file), of_tools=True)
    except (OSError, UnicodeDecodeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{file} cannot be read as YAML: {error}") from None
    if not isinstance(description, dict) or description.get("type", "model") != "model":
        raise FormatError(f"{file} does not describe a model.")
    return description


def _package(description: Mapping[str, Any], file: Path) -> Package:
    inputs, outputs = description["inputs"], description["outputs"]
    if len(inputs) != 1:
        raise FormatError(
            f"{description['name']} takes {len(inputs)} inputs; models with one are run."
        )
    input_axes, output_axes = _sides(inputs[0]), _sides(outputs[0], _scales(inputs[0]))
    _check(description["name"], input_axes, output_axes)
    return Package(
        str(description["name"]), file.parent, _weights(description, file.parent),
        input_axes, output_axes,
        _operations(inputs[0].get("preprocessing")), _operations(outputs[0].get("postprocessing")),
        _channel_names(outputs[0]), description,
    )  # fmt: skip


def _weights(description: Mapping[str, Any], folder: Path) -> Path:
    entry = description["weights"].get("onnx")
    if entry is None:
        listed = ", ".join(description["weights"])
        raise FormatError(
            f"{description['name']} has its weights as {listed}; only ONNX is read, because "
            "other kinds run code of the package. Look for a version of the model with "
            "ONNX weights."
        )
    source = str(entry["source"])
    path = (folder / source).resolve()
    if "://" in source or not path.is_relative_to(folder.resolve()):
        raise FormatError(f"The weights are at {source}; download the whole package first.")
    if not path.is_file():
        raise FormatError(f"The weights {path} are not there; the package is incomplete.")
    digest = entry.get("sha256")
    if digest and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise FormatError(f"The weights {path} are not those described (sha256); download again.")
    return path


# ---- axes ----


def _sides(
    tensor: Mapping[str, Any], scales: Mapping[str, float] = MappingProxyType({})
) -> tuple[Side, ...]:
    if isinstance(tensor["axes"], str):
        return _sides_04(tensor)
    return tuple(_side(axis, scales) for axis in tensor["axes"])


def _scales(tensor: Mapping[str, Any]) -> dict[str, float]:
    """Return the spacing of each axis of an input, by its name."""
    axes = tensor["axes"]
    named = axes if isinstance(axes, list) else []
    return {str(axis.get("id")): float(axis.get("scale", 1)) for axis in named}


def _side(axis: Mapping[str, Any], scales: Mapping[str, float]) -> Side:
    """Return an axis of version 0.5."""
    letter = _TYPES.get(axis["type"], str(axis.get("id", "x")))
    size = axis.get("size", 0)
    halo = int(axis.get("halo", 0))
    if letter == "c" and not size:
        size = len(axis.get("channel_names", ()))
    if isinstance(size, Mapping) and "tensor_id" in size:
        scale = float(axis.get("scale", 1))
        if abs(scale / scales.get(str(size.get("axis_id")), 1.0) - 1) > 1e-6:
            return Side("?", halo=halo)  # of another size than the input
    if not isinstance(size, Mapping):
        return Side(letter, int(size or 0), halo=halo)
    if "min" in size:
        return Side(letter, 0, int(size["min"]), int(size["step"]), halo)
    return Side(letter if not size.get("offset") else "?", halo=halo)


def _sides_04(tensor: Mapping[str, Any]) -> tuple[Side, ...]:
    """Return the axes of version 0.4: a string of letters, and separate shapes."""
    letters, shape = str(tensor["axes"]), tensor.get("shape", ())
    halo = tensor.get("halo") or [0] * len(letters)
    if isinstance(shape, Mapping) and "min" in shape:
        pairs = zip(letters, shape["min"], shape["step"], halo, strict=True)
        return tuple(Side(a, 0 if s else m, m, s, h) for a, m, s, h in pairs)
    if isinstance(shape, Mapping):
        changes = zip(letters, shape["scale"], shape["offset"], halo, strict=True)
        return tuple(
            Side(a if a in "bc" or (scale == 1 and offset == 0) else "?", halo=h)
            for a, scale, offset, h in changes
        )
    return tuple(Side(a, int(n), halo=h) for a, n, h in zip(letters, shape, halo, strict=True))


def _check(name: str, input_axes: tuple[Side, ...], output_axes: tuple[Side, ...]) -> None:
    letters = "".join(s.letter for s in input_axes)
    spatial = {s for s in letters if s in "zyx"}
    if set(letters) - set("bczyx") or not {"y", "x"} <= spatial:
        raise FormatError(f"{name} takes the axes {letters!r}; images with b, c, z, y, x are run.")
    lasting = {
        s.letter
        for s in output_axes
        if s.letter in spatial or (s.size != 1 and s.letter not in "bc")
    }
    if lasting != spatial:
        raise FormatError(
            f"{name} changes the size of its image; models whose output lies on the voxels of "
            "their input are run."
        )


def _operations(listed: Sequence[Mapping[str, Any]] | None) -> tuple[Operation, ...]:
    return tuple(
        Operation(str(o.get("id", o.get("name"))), dict(o.get("kwargs") or {}))
        for o in listed or ()
    )


def _channel_names(tensor: Mapping[str, Any]) -> tuple[str, ...]:
    if isinstance(tensor["axes"], str):
        return ()
    named = [a.get("channel_names", ()) for a in tensor["axes"] if a["type"] == "channel"]
    return tuple(map(str, named[0])) if named else ()
