"""From labels to a table: one row for each label and time point."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels, align, fits_exactly
from napari_segment.results.measure import properties as _  # noqa: F401, defines them
from napari_segment.results.measure.property import Property, chosen, units
from napari_segment.results.measure.sums import Sums

if TYPE_CHECKING:
    import pandas as pd


def measure(
    labels: Labels | Any,
    image: Image | Any = None,
    *,
    properties: str | Sequence[str] = "basic",
) -> pd.DataFrame:
    """Measure every object, or every class.

    Parameters
    ----------
    labels : Labels or array
        What is measured, with its spacing. Arrays are objects in YX or ZYX, of spacing 1. Lazy
        labels are measured block by block.
    image : Image or array, optional
        Intensities; each channel is measured. An image whose axes are stored in another order or
        direction is turned onto the labels; for one on another grid the labels are resampled by
        nearest neighbour, with a warning.
    properties : str or sequence of str
        Names of properties, of their columns, and of groups: "basic", "shape", "intensity",
        "texture", "detail" (what is computed object by object, and so takes longer), "all".

    Returns
    -------
    pandas.DataFrame
        A row for each label and time point. Columns: ``time`` (an index) where there is a time
        axis, ``label``, ``name`` where classes have names, then the properties; those of
        intensities end in the channel's name where there are channels (and its number, counted from
        0, where several have that name). Lengths, areas and volumes are in the unit of the labels,
        positions are counted from the centre of the first voxel, those of ``centroid_world`` and
        ``bbox_world`` are in the world of the labels' affine. ``table.attrs["units"]`` has the
        unit of each column.

    Raises
    ------
    GeometryError
        If labels and image do not overlap in the world, or, where a position is unknown, differ in
        shape or spacing.

    Examples
    --------
    >>> import numpy as np
    >>> table = measure(Labels(np.array([[1, 1, 0, 2]]), spacing=(1, 0.5), unit="micrometer"))
    >>> table[["label", "area", "centroid_x"]]
       label  area  centroid_x
    0      1   1.0        0.25
    1      2   0.5        1.50
    >>> table.attrs["units"]["area"]
    'micrometer^2'
    """
    import pandas as pd

    labels = labels if isinstance(labels, Labels) else Labels(labels)
    labels, image = _on_one_grid(labels.canonical(), image)
    channels = _channels(image)
    wanted = chosen(properties, image=bool(channels))
    if not channels and any(p.image for p in wanted):
        first = next(p.name for p in wanted if p.image)
        raise InputError(f"The property {first!r} needs an image, but none was given.")
    frames = []
    for time, at_time, images in _times(labels, channels):
        frame = _frame(at_time, images, wanted)
        if "T" in labels.axes:
            frame.insert(0, "time", time)
        frames.append(frame)
    table = pd.concat(frames, ignore_index=True) if len(frames) > 1 else frames[0]
    table.attrs["units"] = _units(wanted, labels, channels)
    return table


def with_units(table: pd.DataFrame) -> pd.DataFrame:
    """Write each column's unit behind its name: "area [micrometer^2]".

    Parameters
    ----------
    table : pandas.DataFrame
        What `measure` returned.
    """
    named = {c: f"{c} [{u}]" for c, u in table.attrs.get("units", {}).items() if u}
    return table.rename(columns=named)


def _frame(labels: Labels, images: dict[str, Image], wanted: Sequence[Property]) -> pd.DataFrame:
    import pandas as pd

    sums = Sums(labels.data, None, tuple(labels.spacing), labels.world())
    columns: dict[str, Any] = {"label": sums.ids}
    if labels.names:
        columns["name"] = [labels.names.get(int(i), "") for i in sums.ids]
    over = {name: sums.with_image(image.data) for name, image in images.items()}
    axes = labels.spatial_axes
    for p in wanted:
        if not p.image:
            columns |= _named(p.columns(axes), p.compute(sums))
    for name, channel in over.items():
        ending = f"_{name}" if name else ""
        for p in wanted:
            if p.image:
                columns |= _named([c + ending for c in p.columns(axes)], p.compute(channel))
    return pd.DataFrame(columns)


def _named(names: Sequence[str], values: NDArray[Any]) -> dict[str, Any]:
    values = values.reshape(len(values), len(names))
    return {name: values[:, i] for i, name in enumerate(names)}


def _units(
    wanted: Sequence[Property], labels: Labels, channels: dict[str, Image]
) -> dict[str, str]:
    axes, unit = labels.spatial_axes, labels.unit
    result = units([p for p in wanted if not p.image], axes, unit)
    for name in channels:
        ending = f"_{name}" if name else ""
        per_channel = units([p for p in wanted if p.image], axes, unit)
        result |= {column + ending: u for column, u in per_channel.items()}
    return result


def _on_one_grid(labels: Labels, image: Image | Array | None) -> tuple[Labels, Image | None]:
    """Turn the image onto the labels' grid, or resample the labels where the grids differ."""
    if image is None:
        return labels, None
    image = image if isinstance(image, Image) else Image(image, labels.axes)
    image = image.canonical()
    if fits_exactly(image, labels):
        return labels, align(image, labels, what="image", onto="labels").canonical()
    return align(labels, image), image


def _channels(image: Image | None) -> dict[str, Image]:
    """Return the channels by name; "" names the only one."""
    if image is None:
        return {}
    if "C" not in image.axes:
        return {"": image}
    names = image.channels or tuple(map(str, range(image.size("C"))))
    unique = [n if names.count(n) == 1 else f"{n}_{i}" for i, n in enumerate(names)]
    return {name: image.channel(i) for i, name in enumerate(unique)}


def _times(
    labels: Labels, channels: dict[str, Image]
) -> Generator[tuple[int, Labels, dict[str, Image]], None, None]:
    if "T" not in labels.axes:
        yield 0, labels, channels
        return
    if not labels.size("T"):
        raise InputError("There is nothing to measure: the labels have no time points.")
    for t in range(labels.size("T")):
        yield t, labels.take("T", t), {n: c.take("T", t) for n, c in channels.items()}
