"""Merging of the results of all planes, volumes and time points: arrays, features and maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import is_lazy, reduce
from napari_segment.engine.split import positions
from napari_segment.image import Holds, Image, Labels, Stack, smallest_integers
from napari_segment.registry import Result
from napari_segment.results.features import concatenated, followed, joined


def merge_arrays(
    arrays: Sequence[Any], lead: str, stack: Stack, *, keep_channels: bool = False
) -> tuple[Any, str]:
    """Stack results along the leading axes again: the array, and its axes."""
    dropped = "" if keep_channels else "C"
    body = "".join(a for a in stack.axes if a not in lead + dropped)
    if not lead:
        return arrays[0], body
    return _stacked(arrays, [stack.size(a) for a in lead]), lead + body


def merge_labels(results: Sequence[Any], lead: str, image: Image, gives: str) -> Labels:
    """The labels of all parts, with their features and maps.

    Parameters
    ----------
    results : sequence of Result or array
        Of each part, in order.
    lead : str
        The leading axes over which the parts were taken.
    image : Image
        What was segmented, whose geometry the labels have.
    gives : str
        What arrays hold that do not say it: "mask", "classes" or "objects".
    """
    first = results[0] if isinstance(results[0], Result) else Result(results[0], gives)
    arrays = [r.array if isinstance(r, Result) else r for r in results]
    offsets = [0] * len(arrays)
    if first.holds == "objects" and "Z" in lead:
        arrays, offsets = offset_labels(arrays, image.size("Z"))
    array, axes = merge_arrays(arrays, lead, image)
    return Labels(
        array, axes, **image.geometry(), holds=cast("Holds", first.holds), names=first.names,
        values=first.values, features=merge_features(results, positions(lead, image), offsets),
        maps=merge_maps(results, lead, [image.size(a) for a in lead], image),
    )  # fmt: skip


def merge_cleaned(results: Sequence[Any], lead: str, before: Labels, gives: str) -> Labels:
    """The labels of all parts after a cleanup; features follow the objects.

    Parameters
    ----------
    results : sequence of Result or array
        Of each part, in order.
    lead : str
        The leading axes over which the parts were taken.
    before : Labels
        What the cleanup was given, whose geometry, maps and names the result has.
    gives : str
        What arrays hold that do not say it; "" for what `before` holds.
    """
    first = results[0] if isinstance(results[0], Result) else None
    holds = cast("Holds", first.holds if first else gives or before.holds)
    arrays = [r.array if isinstance(r, Result) else r for r in results]
    offsets = [0] * len(arrays)
    if holds == "objects" and "Z" in lead:
        arrays, offsets = offset_labels(arrays, before.size("Z"))
    array, axes = merge_arrays(arrays, lead, before)
    cleaned = before.replace(data=array, axes=axes, holds=holds, features={})
    if first is not None:
        cleaned = cleaned.replace(names=first.names, values=first.values)
    known = followed(before.features, before, cleaned)
    added = merge_features(results, positions(lead, before), offsets)
    return cleaned.replace(features=joined(known, added))


def offset_labels(arrays: Sequence[Any], planes: int) -> tuple[list[Any], list[int]]:
    """Give objects of different planes of one volume different numbers; what each was raised by."""
    counts = [reduce(a, _largest, _maximum) for a in arrays]
    offset_arrays, offsets = [], []
    for start in range(0, len(arrays), planes):
        offset = 0
        largest = smallest_integers(sum(counts[start : start + planes]))
        for array, count in zip(arrays[start:], counts[start : start + planes], strict=False):
            shifted = array.astype(largest)
            offset_arrays.append(shifted + (array > 0).astype(largest) * largest.type(offset))
            offsets.append(offset)
            offset += count
    return offset_arrays, offsets


def _largest(block: NDArray[Any]) -> int:
    return int(block.max(initial=0))


def _maximum(counts: Sequence[int]) -> int:
    return max(counts)


def merge_features(
    results: Sequence[Any], where: Sequence[Mapping[str, int]], offsets: Sequence[int]
) -> dict[str, NDArray[Any]]:
    """One table of the features of several parts.

    Parameters
    ----------
    results : sequence of Result or array
        Of each part.
    where : sequence of mapping of str to int
        Position of each part along the leading axes, by letter. Time becomes the column
        ``time``, the plane the box's extent along Z.
    offsets : sequence of int
        What was added to the object numbers of each part.
    """
    return concatenated(
        [
            _features_of_part(result.features, at, offset)
            for result, at, offset in zip(results, where, offsets, strict=True)
            if isinstance(result, Result)
        ]
    )


def _features_of_part(
    features: Mapping[str, Any], at: Mapping[str, int], offset: int
) -> dict[str, NDArray[Any]]:
    if not features:
        return {}
    labels = np.asarray(features["label"]) + offset
    where: dict[str, Any] = {}
    if "T" in at:
        where["time"] = np.full(len(labels), at["T"])
    if "Z" in at:
        where["bbox_z_start"] = np.full(len(labels), at["Z"])
        where["bbox_z_stop"] = where["bbox_z_start"] + 1
    return {
        "label": labels,
        **where,
        **{n: np.asarray(c) for n, c in features.items() if n != "label"},
    }


def merge_maps(
    results: Sequence[Any], axes: str, shape: Sequence[int], image: Image
) -> dict[str, Image]:
    """The maps of several parts as images, each with the geometry of the image.

    Parameters
    ----------
    results : sequence of Result or array
        Of each part, in order.
    axes, shape : str, sequence of int
        The leading axes over which the parts were taken, and how many positions each has.
    image : Image
        Whose geometry the maps have.
    """
    first = results[0]
    if not isinstance(first, Result):
        return {}
    body = "".join(a for a in image.axes if a not in axes + "C")
    images = {}
    for name in first.maps:
        array = _stacked([result.maps[name] for result in results], shape)
        many = array.ndim > len(axes) + len(body)
        whole = Image(
            array, axes + "C" * many + body, **image.geometry(),
            channels=first.channels if many else (),
        )  # fmt: skip
        images[name] = whole.canonical()
    return images


def _stacked(arrays: Sequence[Any], shape: Sequence[int]) -> Any:
    """The arrays of all parts as one; lazy where any of them is."""
    if not shape:
        return arrays[0]
    if any(is_lazy(a) for a in arrays):
        import dask.array as da

        return da.stack(arrays).reshape((*shape, *arrays[0].shape))
    return np.stack(arrays).reshape((*shape, *np.shape(arrays[0])))
