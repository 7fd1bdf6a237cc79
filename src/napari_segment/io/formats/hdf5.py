"""HDF5 (``.h5``): the data sets of one file, with the attributes of ilastik and PanSeg.

A data set is named by ``series`` or in the path, as in ``cells.h5::volumes/raw``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.image import AXES, Labels, Stack
from napari_segment.image.units import length_factor
from napari_segment.io.boundary import lazy_array
from napari_segment.io.contents import (
    KEY,
    Contents,
    extras,
    from_extras,
    from_text,
    gather,
    to_text,
)
from napari_segment.io.registry import Format, formats
from napari_segment.io.reports import check_expansion

if TYPE_CHECKING:
    import h5py

_IMAGES = ("raw", "exported_data", "image", "data")
_LABELS = ("label", "labels", "segmentation", "exported_data")
_SIZE = "element_size_um"  # PanSeg's attribute: the spacing in micrometres
_TAGS = "axistags"  # ilastik's


def read(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read one data set; the parameters are those of `napari_segment.io.read`.

    Of several, ``raw`` is taken unless `series` names one. Axes come from ilastik's ``axistags``,
    the spacing from PanSeg's ``element_size_um``.
    """
    return _read(path, axes, lazy, series, _IMAGES)


def read_indices(path: Path, *, axes: str = "", lazy: bool = False, series: str = "") -> Contents:
    """Read labels: of several data sets ``label``, unless `series` names one."""
    return _read(path, axes, lazy, series, _LABELS)


def _read(path: Path, axes: str, lazy: bool, series: str, usual: tuple[str, ...]) -> Contents:
    import h5py

    with h5py.File(path, "r") as file:
        name = _chosen(_datasets(file), series, usual, path)
        dataset = file[name]
        attributes = dict(dataset.attrs)
        _check_held(dataset, path)
        if not lazy:
            unpacked = dataset.size * dataset.dtype.itemsize
            check_expansion(path.name, unpacked, dataset.id.get_storage_size())
        data = _Dataset(path, name, dataset) if lazy else dataset[...]
        chunks = dataset.chunks or "auto"
    if data.dtype.kind not in "buif":
        raise FormatError(f"{path.name} holds {data.dtype} in {name!r}; real numbers are needed.")
    saved = from_text(attributes.get(KEY))
    metadata = from_extras(saved)
    own = saved.get("axes") or _tagged(attributes.get(_TAGS), data.ndim)
    scale, unit = _spacing(attributes, own or "ZYX"[-data.ndim :], saved)
    metadata.setdefault("unit", unit)
    pixels = lazy_array(data, path, "HDF5", chunks) if lazy else data
    return gather(path, pixels, own, scale, wanted=axes, **metadata)


def _datasets(file: h5py.File) -> dict[str, tuple[int, ...]]:
    """The names and shapes of what can be an image."""
    import h5py

    shapes: dict[str, tuple[int, ...]] = {}

    def visit(name: str, node: object) -> None:
        if isinstance(node, h5py.Dataset) and node.shape is not None and len(node.shape) > 1:
            shapes[name] = tuple(node.shape)

    file.visititems(visit)
    return shapes


def _chosen(
    shapes: Mapping[str, tuple[int, ...]], series: str, usual: tuple[str, ...], path: Path
) -> str:
    wanted = series.strip("/")
    if wanted in shapes:
        return wanted
    names = list(shapes)
    if wanted.isdigit() and int(wanted) < len(names):
        return names[int(wanted)]
    likely = names if len(names) == 1 else [n for n in usual if n in shapes]
    if not series and likely:
        return likely[0]
    listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "none"
    raise FormatError(
        f"{path.name} holds these data sets of two or more axes: {listed}. Say which by series=… "
        f"or as {path.name}::NAME."
    )


def _check_held(dataset: h5py.Dataset, path: Path) -> None:
    """Refuse a data set without compression of which the file does not hold all."""
    stored = dataset.id.get_storage_size()
    whole = dataset.chunks is None and not dataset.external
    if whole and stored and stored < dataset.size * dataset.dtype.itemsize:
        raise FormatError(
            f"{path.name} holds {stored:,} bytes of {dataset.name}, which declares "
            f"{dataset.size * dataset.dtype.itemsize:,}. Copy or export it again."
        )


def _tagged(text: object, ndim: int) -> str:
    """The axes of ilastik's tags, in array order."""
    keys = [str(a.get("key", "")).upper() for a in from_text(text).get("axes", ())]
    letters = "".join(keys)
    return letters if len(keys) == ndim and set(letters) <= set(AXES) else ""


def _spacing(
    attributes: Mapping[str, Any], own: str, saved: Mapping[str, Any]
) -> tuple[dict[str, float], str]:
    spatial = [a for a in own if a in "ZYX"]
    if "spacing" in saved:
        return dict(zip(spatial, saved["spacing"], strict=False)), "pixel"
    sizes = np.ravel(attributes.get(_SIZE, ()))
    if not len(sizes):
        return {}, "pixel"
    return dict(zip("XYZ", map(float, sizes[::-1]), strict=False)), "micrometer"


class _Dataset:
    """A data set, read in any process: the file is opened for each access."""

    def __init__(self, path: Path, name: str, dataset: h5py.Dataset) -> None:
        self.path, self.name = path, name
        self.shape, self.dtype, self.ndim = dataset.shape, dataset.dtype, dataset.ndim

    def __getitem__(self, index: Any) -> NDArray[Any]:
        import h5py

        with h5py.File(self.path, "r") as file:
            return np.asarray(file[self.name][index])


def write(stack: Stack, path: Path) -> None:
    """Write one data set, ``raw`` or ``label``, compressed, a row of blocks at a time."""
    import dask.array as da
    import h5py

    name = "label" if isinstance(stack, Labels) else "raw"
    saved = extras(stack, "unit", "interval") | {"spacing": list(stack.spacing)}
    with h5py.File(path, "w") as file:
        options = {"compression": "gzip", "compression_opts": 3} if stack.data.size else {}
        dataset = file.create_dataset(name, stack.shape, stack.dtype, **options)
        dataset.attrs[KEY] = to_text(saved)
        dataset.attrs[_TAGS] = json.dumps({"axes": [_tag(a, stack) for a in stack.axes]})
        factor = length_factor(stack.unit, "micrometer")
        if factor is not None:
            dataset.attrs[_SIZE] = [s * factor for s in stack.spacing]
        if stack.is_lazy:
            da.store(stack.data, dataset, lock=True)
        else:
            dataset[...] = stack.data


def _tag(letter: str, stack: Stack) -> dict[str, Any]:
    """An axis as vigra describes it: 1 is channels, 2 space, 8 time."""
    size = dict(zip(stack.spatial_axes, stack.spacing, strict=True)).get(letter, 0)
    flags = {"C": 1, "T": 8}.get(letter, 2)
    return {"key": letter.lower(), "typeFlags": flags, "resolution": size, "description": ""}


formats.add(Format(
    name="hdf5", title="HDF5", suffixes=(".h5", ".hdf5"), read=read, read_indices=read_indices,
    write=write, lazy=True,
))  # fmt: skip
