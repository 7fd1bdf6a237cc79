"""A MONAI bundle: its network, processing and sliding window, read as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_segment.errors import FormatError, SettingError
from napari_segment.exchange.archives import unpacked
from napari_segment.exchange.monai_bundle.configuration import (
    Configuration,
    Part,
    read_configuration,
)
from napari_segment.exchange.monai_bundle.lists import (
    NETWORKS,
    TRANSFORMS,
    class_name,
    transform_name,
)
from napari_segment.exchange.monai_bundle.output import Output, read_output
from napari_segment.io import suffix
from napari_segment.io.containment import contained
from napari_segment.io.models_folder import located

METADATA = "configs/metadata.json"
CONFIGURATIONS = ("configs/inference.json", "configs/inference.yaml", "configs/inference.yml")
WEIGHTS = "models/model.pt"
_PER_KEY = ("mode", "padding_mode", "align_corners", "dtype")


@dataclass(frozen=True)
class Component:
    """A class of the lists, by its name, with plain arguments.

    Parameters
    ----------
    name : str
        Such as "UNet" or "Spacing" (transforms without the "d" of their dictionary form).
    arguments : mapping
        By name.
    location : str
        Where it stands in the bundle.
    """

    name: str
    arguments: Mapping[str, Any]
    location: str


@dataclass(frozen=True)
class Window:
    """The sliding window of the bundle's inferer; see MONAI's ``SlidingWindowInferer``."""

    roi: tuple[int, ...] = ()  # empty for the whole image
    overlap: tuple[float, ...] = (0.25,)
    gaussian: bool = False
    sigma: float = 0.125
    mirrored: bool = False


@dataclass(frozen=True)
class Bundle:
    """A bundle that segments one image.

    Parameters
    ----------
    folder : Path
        With ``configs`` and ``models``.
    network : Component
        Of the list of networks.
    transforms : tuple of Component
        Of the list of transforms, in the order in which they run.
    window : Window
        Tiles and their blending.
    output : Output
        From the network's outputs to labels.
    channels : tuple of str
        Names of the outputs.
    metadata : mapping
        ``metadata.json``.
    """

    folder: Path
    network: Component
    transforms: tuple[Component, ...]
    window: Window
    output: Output
    channels: tuple[str, ...]
    metadata: Mapping[str, Any] = field(repr=False)

    @property
    def title(self) -> str:
        """Name of the bundle."""
        return str(self.metadata.get("name") or self.folder.name)

    @property
    def ndim(self) -> int:
        """Number of spatial axes that the network takes."""
        return int(self.network.arguments.get("spatial_dims", 3))

    @property
    def channels_in(self) -> int:
        """Number of channels that the network takes."""
        return int(self.network.arguments.get("in_channels", 1))

    @property
    def weights(self) -> Path:
        """The file of the weights.

        Raises
        ------
        FormatError
            If it is absent, or leads out of the bundle.
        """
        return _file(self.folder, WEIGHTS)


def open_bundle(path: str | Path) -> Bundle:
    """Read a bundle: a folder, or its zip file. Nothing of it is run, no weights are read.

    Raises
    ------
    FormatError
        If it is no bundle, or asks for what is not on the lists, naming the location.
    """
    if Path(path) == Path():
        raise SettingError("'monai_bundle' needs a bundle: give its folder or its zip file.")
    folder = bundle_folder(located(Path(path)))
    metadata = read_configuration(_file(folder, METADATA))
    names = [name for name in CONFIGURATIONS if (folder / name).is_file()]
    if not names:
        raise FormatError(f"{folder} holds none of {', '.join(CONFIGURATIONS)}.")
    file = _file(folder, names[0])
    configuration = Configuration(read_configuration(file), file.name)
    try:
        return Bundle(
            folder, _network(configuration), _transforms(configuration), _window(configuration),
            read_output(configuration.part("postprocessing")), _channels(metadata), metadata,
        )  # fmt: skip
    except (ValueError, TypeError) as error:
        if isinstance(error, FormatError):
            raise
        raise FormatError(f"{file} does not describe a bundle as MONAI does: {error}.") from None


def bundle_folder(path: Path) -> Path:
    """Return the folder with ``configs``: a path, what it unpacks to, or the only folder in it."""
    if path.is_file() and suffix(path) == ".zip":
        path = unpacked(path)
    if (path / METADATA).is_file():
        return path
    inside = [one.parent.parent for one in path.glob(f"*/{METADATA}")] if path.is_dir() else []
    if len(inside) == 1:
        return inside[0]
    raise FormatError(
        f"{path} is no MONAI bundle: it has no {METADATA}. Give the folder or the zip file of a "
        "bundle."
    )


def _file(folder: Path, name: str) -> Path:
    file = contained(folder / name, folder, folder / METADATA)
    if not file.is_file():
        raise FormatError(f"The bundle {folder} has no {name}: it is incomplete.")
    return file


# ---- parts of the configuration ----


def _network(configuration: Configuration) -> Component:
    part = configuration.part(
        "network_def" if "network_def" in configuration.content else "network"
    )
    if part is None or not part.target():
        raise FormatError(
            f"{configuration.name} has no network_def with a _target_, the network that it runs."
        )
    name = class_name(part.target(), "monai.networks.nets.")
    if name not in NETWORKS:
        raise FormatError(
            f"{part.location}._target_ is {part.target()[:80]!r}, which is not on the list of "
            f"networks that are run: {', '.join(NETWORKS)}."
        )
    arguments = {k: v for k, v in part.arguments().items() if k not in NETWORKS[name]}
    if arguments.get("spatial_dims", 3) not in (2, 3):
        raise FormatError(f"{part.location}.spatial_dims is {arguments['spatial_dims']!r}: 2 or 3.")
    return Component(name, arguments, part.location)


def _transforms(configuration: Configuration) -> tuple[Component, ...]:
    part = configuration.part("preprocessing")
    if part is None or part.value is None:
        return ()
    chosen, image = [], "image"
    for item in transform_parts(part):
        name = transform_name(item.target())
        if name not in TRANSFORMS:
            raise FormatError(
                f"{item.location}._target_ is {item.target()[:80]!r}, which is not on the list of "
                f"transforms that are run: {', '.join(TRANSFORMS)} and their forms with d."
            )
        keys = _keys(item)
        if name == "LoadImage" and keys:
            image = keys[0]
        allowed = TRANSFORMS[name]
        if allowed is not None and (not keys or image in keys):
            chosen.append(_transform(name, allowed, item, keys.index(image) if keys else 0))
    return tuple(chosen)


def transform_parts(part: Part) -> list[Part]:
    """Return the transforms of a ``Compose``, or of a list, that are not disabled."""
    if not isinstance(part.value, list):
        if class_name(part.target(), "monai.transforms.") != "Compose":
            raise FormatError(
                f"{part.location}._target_ is {part.target()[:80]!r}; a Compose of "
                "transforms is read."
            )
        inside = part.get("transforms")
        if inside is None:
            return []
        part = inside
    return [item for item in part.items() if not _is_disabled(item)]


def _is_disabled(item: Part) -> bool:
    disabled = item.get("_disabled_")
    return disabled is not None and str(disabled.plain()).lower() == "true"


def _keys(item: Part) -> list[str]:
    keys = item.get("keys")
    if keys is None:
        return []
    value = keys.plain()
    return [str(key) for key in value] if isinstance(value, list) else [str(value)]


def _transform(name: str, allowed: Sequence[str], item: Part, index: int) -> Component:
    arguments = item.arguments()
    for known in ("keys", "allow_missing_keys"):
        arguments.pop(known, None)
    for key in _PER_KEY:
        value = arguments.get(key)
        if isinstance(value, list) and value:
            arguments[key] = value[min(index, len(value) - 1)]
    unknown = sorted(set(arguments) - set(allowed))
    if unknown:
        raise FormatError(
            f"{item.location}.{unknown[0]} is not known. Read of {name}: {', '.join(allowed)}."
        )
    return Component(name, arguments, item.location)


def _window(configuration: Configuration) -> Window:
    part = configuration.part("inferer")
    if part is None or part.value is None:
        return Window()
    name = class_name(part.target(), "monai.inferers.")
    if name == "SimpleInferer":
        return Window()
    if name != "SlidingWindowInferer":
        raise FormatError(
            f"{part.location}._target_ is {part.target()[:80]!r}; SlidingWindowInferer and "
            "SimpleInferer are run."
        )
    given = {
        key: value.plain()
        for key in ("roi_size", "overlap", "mode", "sigma_scale", "padding_mode")
        if (value := part.get(key)) is not None
    }
    overlap = _numbers(given.get("overlap", 0.25))
    if not overlap or not all(0 <= value < 1 for value in overlap):
        raise FormatError(f"{part.location}.overlap is {overlap}: give numbers from 0 to below 1.")
    if given.get("mode", "constant") not in ("constant", "gaussian"):
        raise FormatError(f"{part.location}.mode is {given['mode']!r}: constant or gaussian.")
    sigma = _numbers(given.get("sigma_scale", 0.125))[0]
    if not sigma > 0:
        raise FormatError(f"{part.location}.sigma_scale is {sigma}: give a number above 0.")
    return Window(
        tuple(int(n) for n in _numbers(given.get("roi_size", -1))), overlap,
        given.get("mode") == "gaussian", sigma, given.get("padding_mode", "constant") != "constant",
    )  # fmt: skip


def _numbers(value: Any) -> tuple[float, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(-1.0 if one is None else float(one) for one in values)


def _channels(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the outputs, in their order."""
    outputs = _mapping(_mapping(metadata, "network_data_format"), "outputs")
    first = next((value for value in outputs.values() if isinstance(value, Mapping)), {})
    named = _mapping(outputs, "pred") or first
    definition = _mapping(named, "channel_def")
    numbered = {int(k): str(v) for k, v in definition.items() if str(k).isdecimal()}
    return tuple(numbered.get(i, "") for i in range(min(max(numbered, default=-1), 9999) + 1))


def _mapping(content: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = content.get(key)
    return value if isinstance(value, Mapping) else {}
