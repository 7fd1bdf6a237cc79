"""OME-Zarr: chunked stacks of any size with a pyramid of resolutions.

Versions 0.1 to 0.5 are read, 0.5 is written: https://ngff.openmicroscopy.org/0.5/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_segment.arrays import Array
from napari_segment.blocks import is_lazy
from napari_segment.errors import FormatError
from napari_segment.image import AXES, SPATIAL, Image, Labels, Stack
from napari_segment.io.contents import (
    KEY,
    Contents,
    extras,
    from_extras,
    gather,
    in_seconds,
    one_unit,
)
from napari_segment.io.formats._remote import open_url
from napari_segment.io.formats._zarr_arrays import OnDisk, check_chunks, lazily
from napari_segment.io.names import url_of
from napari_segment.io.registry import Format, formats

if TYPE_CHECKING:
    import zarr

_CHUNKS = {"T": 1, "C": 1, "Z": 32, "Y": 256, "X": 256}
_PLANE_CHUNKS = {"T": 1, "C": 1, "Y": 1024, "X": 1024}
_SMALLEST = 256  # a pyramid ends where a plane is no larger


def is_zarr(path: Path) -> bool:
    """Return whether a folder is a Zarr group or array."""
    return any((path / name).exists() for name in ("zarr.json", ".zgroup", ".zarray", ".zattrs"))


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read the full resolution; the parameters are those of `napari_segment.io.read`.

    A bare Zarr array takes its axes from its dimension names.
    """
    return _contents(opened(path), path, axes, lazy, series)


def opened(path: Path) -> Any:
    """The array or group of a folder, a zip file or a URL."""
    import zarr

    url = url_of(path)
    if url:
        return open_url(url)
    if path.is_file():
        return zarr.open(zarr.storage.ZipStore(path, mode="r"), mode="r")
    return zarr.open(path, mode="r")


def read_indices(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read labels: those inside an image that has any, by name where it has several."""
    node = opened(path)
    names = _label_names(node)
    if not names or _is_label(node):
        return _contents(node, path, axes, lazy, series)
    if series not in names and len(names) > 1:
        raise FormatError(
            f"{path.name} holds the labels {', '.join(names)}; say which by series=… or give the "
            f"path of one, {path.name}/labels/{names[0]}."
        )
    name = series or names[0]
    return _contents(node[f"labels/{name}"], path / "labels" / name, axes, lazy, "")


def _is_label(node: Any) -> bool:
    attributes = dict(node.attrs)
    return "image-label" in attributes.get("ome", attributes)


def labels_in(path: Path) -> list[str]:
    """The names of the labels inside an OME-Zarr image."""
    return _label_names(opened(path))


def _label_names(node: Any) -> list[str]:
    import zarr

    if not isinstance(node, zarr.Group) or "labels" not in node:
        return []
    group = node["labels"]
    if not isinstance(group, zarr.Group):
        return []
    attributes = dict(group.attrs)
    listed = attributes.get("ome", attributes).get("labels")
    return [str(name) for name in listed] if listed else sorted(n for n, _ in group.members())


def _contents(node: Any, path: Path, axes: str, lazy: bool, series: str) -> Contents:
    import zarr

    metadata: dict[str, Any] = {}
    if isinstance(node, zarr.Group):
        node, metadata = _image(node, path, series)
    own = metadata.pop("axes", "") or _dimension_names(node)
    check_chunks(node, path, lazy=lazy)
    data = lazily(node, path) if lazy else np.asarray(node[...])
    return gather(path, data, own, metadata.pop("scale", None), wanted=axes, **metadata)


def _dimension_names(array: zarr.Array) -> str:
    names = getattr(array.metadata, "dimension_names", None) or array.attrs.get(
        "_ARRAY_DIMENSIONS", ()
    )
    letters = "".join(str(n).upper() for n in names)
    return letters if len(letters) == array.ndim and set(letters) <= set(AXES) else ""


def _image(group: zarr.Group, path: Path, series: str) -> tuple[Any, dict[str, Any]]:
    attributes = dict(group.attrs)
    ome: Mapping[str, Any] = attributes.get("ome", attributes)
    if "plate" in ome or "well" in ome:
        raise FormatError(f"{path} is a plate of many images. Read one of its fields by its path.")
    if "multiscales" not in ome:
        return _member(group, path, series)
    scales = ome["multiscales"]
    names = [str(s.get("name", i)) for i, s in enumerate(scales)]
    if len(scales) > 1 and series not in names and not series.isdigit():
        raise FormatError(f"{path} holds the images {', '.join(names)}; say which by series=….")
    number = names.index(series) if series in names else int(series or 0)
    metadata = _geometry(scales[number], path)
    _add_labels_and_channels(metadata, ome)
    metadata.update(from_extras(attributes.get(KEY, {})))
    return group[scales[number]["datasets"][0]["path"]], metadata


def _member(group: zarr.Group, path: Path, series: str) -> tuple[Any, dict[str, Any]]:
    """Return one image of a collection, such as bioformats2raw writes."""
    members = sorted(name for name, _ in group.members() if name != "OME")
    if not series and len(members) == 1:
        series = members[0]
    if series not in members:
        listed = ", ".join(members[:12]) or "nothing"
        raise FormatError(f"{path} is no single image: it holds {listed}. Say which by series=….")
    node = group[series]
    return _image(node, path, "") if hasattr(node, "members") else (node, {})


def _geometry(scale: Mapping[str, Any], path: Path) -> dict[str, Any]:
    listed = scale.get("axes") or list("tczyx")
    axes = [a if isinstance(a, Mapping) else {"name": a} for a in listed]
    letters = "".join(str(a["name"]).upper() for a in axes)
    steps, origin = np.ones(len(axes)), np.zeros(len(axes))
    for source in (scale["datasets"][0], scale):
        for change in source.get("coordinateTransformations", ()):
            steps = steps * change.get("scale", 1.0)
            origin = origin * change.get("scale", 1.0) + change.get("translation", 0.0)
    spatial = [i for i, a in enumerate(letters) if a in SPATIAL]
    times = [i for i, a in enumerate(axes) if letters[i] == "T"]
    for i in times:
        steps[i] = in_seconds(steps[i], axes[i].get("unit"), path)
    unit, factors = one_unit({letters[i]: axes[i].get("unit") for i in spatial}, path)
    for i in spatial:
        steps[i], origin[i] = steps[i] * factors[letters[i]], origin[i] * factors[letters[i]]
    metadata: dict[str, Any] = {
        "axes": letters,
        "scale": dict(zip(letters, np.abs(steps), strict=True)),
        "unit": unit,
        "interval": float(steps[letters.index("T")]) if "T" in letters else 1.0,
    }
    if origin[spatial].any() or (steps[spatial] < 0).any():
        metadata["affine"] = np.diag([*steps[spatial], 1.0])
        metadata["affine"][:-1, -1] = origin[spatial]
    return metadata


def _add_labels_and_channels(metadata: dict[str, Any], ome: Mapping[str, Any]) -> None:
    channels = [c.get("label") for c in ome.get("omero", {}).get("channels", ())]
    if channels and all(channels):
        metadata["channels"] = tuple(map(str, channels))
    properties = ome.get("image-label", {}).get("properties", ())
    named = {int(p["label-value"]): str(p["class"]) for p in properties if "class" in p}
    if named:
        metadata["names"] = named


# ---- writing ----


def write(stack: Stack, path: Path) -> None:
    """Write OME-Zarr 0.5 with a pyramid: means for images, nearest neighbours for labels.

    A lazy stack is written block by block, and each level is made of the one below it on disk.
    """
    import zarr

    stack = stack.canonical()
    group = zarr.open_group(path, mode="w", zarr_format=3)
    group.attrs.update({"ome": _metadata(stack, []), KEY: extras(stack)})
    origin = _origin(stack)
    levels = [_transformations(*level, origin) for level in _write_levels(stack, group)]
    group.attrs["ome"] = _metadata(stack, levels)


def _write_levels(stack: Stack, group: zarr.Group) -> Iterator[tuple[Stack, dict[str, int]]]:
    """Write level after level; yields each with how many voxels of the full one it takes."""
    taken = dict.fromkeys(stack.spatial_axes, 1)
    level = stack
    for number in range(32):
        array = _create(group, str(number), level)
        _store(level.data, array)
        yield level, dict(taken)
        factors = _factors(level)
        if not factors:
            return
        level = _coarser(level.replace(data=lazily(array, array.store.root)), factors)
        taken = {a: taken[a] * factors.get(a, 1) for a in taken}


def _create(group: zarr.Group, name: str, level: Stack) -> Any:
    from zarr.codecs import BloscCodec

    wanted = _CHUNKS if "Z" in level.axes else _PLANE_CHUNKS
    return group.create_array(
        name,
        shape=level.shape,
        dtype=level.dtype,
        chunks=tuple(
            max(min(wanted[a], n), 1) for a, n in zip(level.axes, level.shape, strict=True)
        ),
        dimension_names=[a.lower() for a in level.axes],
        fill_value=0,
        compressors=BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"),
    )


def _store(data: Array, array: zarr.Array) -> None:
    import dask.array as da

    blocks = (
        data.rechunk(array.chunks) if is_lazy(data) else da.from_array(data, chunks=array.chunks)
    )
    da.store(blocks, OnDisk(array), lock=False)


def _factors(level: Stack) -> dict[str, int]:
    """Return the axes to halve: the finest ones, so that voxels become more even."""
    if max(level.size("Y"), level.size("X")) <= _SMALLEST:
        return {}
    finest = min(level.spacing)
    pairs = zip(level.spatial_axes, level.spacing, strict=True)
    return {a: 2 for a, s in pairs if s < 2 * finest and level.size(a) > 1}


def _coarser(level: Stack, factors: Mapping[str, int]) -> Stack:
    import dask.array as da

    steps = [factors.get(a, 1) for a in level.axes]
    spacing = tuple(
        s * factors.get(a, 1) for a, s in zip(level.spatial_axes, level.spacing, strict=True)
    )
    if isinstance(level, Labels) or level.dtype == bool:
        data = level.data[tuple(slice(None, None, s) for s in steps)]
    else:
        mean = da.coarsen(np.mean, level.data, dict(enumerate(steps)), trim_excess=True)
        data = (np.rint(mean) if level.dtype.kind in "ui" else mean).astype(level.dtype)
    return level.replace(data=data, spacing=spacing, affine=None)


def _origin(stack: Stack) -> dict[str, float]:
    """Return the translation of an affine without rotation; the format has no field for others."""
    matrix = stack.world()
    if not np.allclose(matrix[:-1, :-1], np.diag(stack.spacing)):
        return dict.fromkeys(stack.spatial_axes, 0.0)
    return dict(zip(stack.spatial_axes, map(float, matrix[:-1, -1]), strict=True))


def _transformations(
    stack: Stack, taken: dict[str, int], origin: dict[str, float]
) -> list[dict[str, Any]]:
    """Return the scale and translation of a level: a mean lies in the middle of its voxels."""
    size = dict(zip(stack.spatial_axes, stack.spacing, strict=True)) | {"T": stack.interval}
    transforms: list[dict[str, Any]] = [
        {"type": "scale", "scale": [float(size.get(a, 1.0)) for a in stack.axes]}
    ]
    mean = not isinstance(stack, Labels)
    shift = {a: origin[a] + mean * size[a] * (1 - 1 / n) / 2 for a, n in taken.items()}
    if any(shift.values()):
        moved = [shift.get(a, 0.0) for a in stack.axes]
        transforms.append({"type": "translation", "translation": moved})
    return transforms


def _metadata(stack: Stack, levels: list[list[dict[str, Any]]]) -> dict[str, Any]:
    datasets = [
        {"path": str(i), "coordinateTransformations": moves} for i, moves in enumerate(levels)
    ]
    attributes: dict[str, Any] = {"version": "0.5", "multiscales": [{
        "name": stack.name or "image",
        "axes": [_axis(a, stack) for a in stack.axes],
        "datasets": datasets,
        "type": "nearest" if isinstance(stack, Labels) else "mean",
    }]}  # fmt: skip
    if isinstance(stack, Labels):
        properties = [{"label-value": k, "class": v} for k, v in stack.names.items()]
        attributes["image-label"] = {"properties": properties} if properties else {}
    elif isinstance(stack, Image) and stack.channels:
        attributes["omero"] = {"channels": [{"label": c} for c in stack.channels]}
    return attributes


def _axis(letter: str, stack: Stack) -> dict[str, str]:
    if letter == "T":
        return {"name": "t", "type": "time", "unit": "second"}
    if letter == "C":
        return {"name": "c", "type": "channel"}
    unit = {} if stack.unit == "pixel" else {"unit": stack.unit}
    return {"name": letter.lower(), "type": "space", **unit}


def _is_label_of_image(path: Path) -> bool:
    """Whether a path is ``image.zarr/labels/NAME`` of an image that is there."""
    return path.parent.name == "labels" and is_zarr(path.parent.parent)


def _list_label(path: Path) -> None:
    """Add labels that were written inside an image to the list that it has of them."""
    import zarr

    if not _is_label_of_image(path):
        return
    group = zarr.open_group(path.parent, mode="a")
    attributes = dict(group.attrs)
    nested = group.metadata.zarr_format == 3
    ome = dict(attributes.get("ome", {})) if nested else attributes
    listed = [str(name) for name in ome.get("labels", ())]
    if path.name not in listed:
        ome["labels"] = [*listed, path.name]
    group.attrs.update({"ome": {"version": "0.5", **ome}} if nested else ome)


formats.add(Format(
    name="omezarr", title="OME-Zarr", suffixes=(".zarr", ".ome.zarr"),
    read=read, read_indices=read_indices, write=write, lazy=True, is_folder=is_zarr,
    writes_inside=_is_label_of_image, written=_list_label,
))  # fmt: skip
formats.add(Format(
    name="omezarr-zip", title="OME-Zarr in a zip file", suffixes=(".zarr.zip", ".ozx"), read=read,
    read_indices=read_indices, lazy=True, labels_as=".ome.zarr", floats_as=".ome.zarr",
))  # fmt: skip
