"""A recipe over the axes of an image: the one place where T, C and Z are dealt with.

Filters, method and cleanups see plain arrays ``(*S)`` or ``(C, *S)`` of one plane or volume; here
they are called for each of them, and the results put back in the image's own order of axes.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

import numpy as np

from napari_segment.engine.directions import in_directions
from napari_segment.engine.grids import labels_on_grid_of, on_grid_of, regridded
from napari_segment.engine.outputs import features_of, map_images
from napari_segment.engine.split import (
    caller,
    each,
    numbered_through,
    parts_of,
    positions,
    put_back,
)
from napari_segment.errors import InputError
from napari_segment.image import Holds, Image, Labels, Stack, orientation_of
from napari_segment.recipe import ApplyTo, Recipe, Spec
from napari_segment.registry import Entry, Regridded, Result, cleanups, filters, methods
from napari_segment.results.features import followed
from napari_segment.step import Step, run

S = TypeVar("S", bound=Stack)

_LUMINANCE = (0.2126, 0.7152, 0.0722)  # ITU-R BT.709


def apply(recipe: Recipe, image: Image, data: Mapping[str, Stack]) -> Generator[Step, None, Labels]:
    """Run a completed recipe on an image.

    Parameters
    ----------
    recipe : Recipe
        With every setting filled in.
    image : Image
        Any axes. In memory or lazy.
    data : mapping of str to Stack
        What the method takes beside the image, such as markers; of the image's geometry without C.

    Yields
    ------
    Step
        One before each part of the recipe, and those of long parts.

    Returns
    -------
    Labels
        With the image's axes but C; lazy where the image is.
    """
    order = image.axes
    if recipe.apply_to == "directions":
        labels = yield from in_directions(recipe, image.canonical(), data, apply)
        return labels.transpose(order.replace("C", "")).replace(recipe=recipe)
    image = _chosen(image, recipe)
    data = {name: chosen_times(stack.canonical(), recipe.times) for name, stack in data.items()}
    total = len(recipe.filters) + 1 + len(recipe.cleanups)
    own = image
    image = yield from through_filters(recipe.filters, image, recipe.apply_to, total)
    entry = methods[recipe.method.name]
    yield Step(len(recipe.filters), total, _announce(entry, image, recipe.apply_to))
    settings = entry.validate(recipe.method.settings)
    data = {name: on_grid_of(stack, image) for name, stack in data.items()}
    labels = yield from _segmented(entry, settings, image, recipe, data)
    apply_to = recipe.apply_to
    seen = _one_channel(image, recipe.channel) if _want_image(recipe) else image
    for done, spec in enumerate(recipe.cleanups, len(recipe.filters) + 1):
        entry = cleanups[spec.name]
        yield Step(done, total, _announce(entry, labels, apply_to))
        labels = _cleaned(entry, entry.validate(spec.settings), labels, seen, apply_to)
        apply_to = "auto" if _joins_planes(entry) else apply_to
    labels = labels_on_grid_of(labels, own)
    return labels.transpose("".join(a for a in order if a in labels.axes)).replace(recipe=recipe)


def as_seen(recipe: Recipe, image: Image) -> Image:
    """`seen_steps`, at once."""
    return run(seen_steps(recipe, image))


def seen_steps(recipe: Recipe, image: Image) -> Generator[Step, None, Image]:
    """The image as a recipe's method sees it: its range of times, filtered, of one channel.

    Parameters
    ----------
    recipe : Recipe
        What is to be done.
    image : Image
        Any axes. In memory or lazy.

    Yields
    ------
    Step
        One before each filter.

    Returns
    -------
    Image
        In canonical order of axes; all channels where the method takes many.
    """
    image = _chosen(image, recipe)
    image = yield from through_filters(recipe.filters, image, recipe.apply_to, len(recipe.filters))
    many = methods[recipe.method.name].channels == "many"
    return image if many else _one_channel(image, recipe.channel)


def through_filters(
    specs: Sequence[Spec], image: Image, apply_to: ApplyTo, total: int
) -> Generator[Step, None, Image]:
    """Run filters one after the other.

    Parameters
    ----------
    specs : sequence of Spec
        The filters; their settings are checked here.
    image : Image
        In canonical order of axes. In memory or lazy.
    apply_to : str
        What is filtered at once, as of `Recipe`.
    total : int
        Parts of the whole work, for the Steps.
    """
    for done, spec in enumerate(specs):
        entry = filters[spec.name]
        yield Step(done, total, _announce(entry, image, apply_to))
        image = _filtered(entry, entry.validate(spec.settings), image, apply_to)
    return image


# ---- the three parts of a recipe ----


def _filtered(entry: Entry, settings: dict[str, Any], image: Image, apply_to: ApplyTo) -> Image:
    _refuse_lazy(entry, image)
    lead = _lead(entry, image, apply_to)
    if entry.channels == "one":
        lead = "".join(a for a in image.axes if a in lead + "C")
    given = image if entry.channels == "one" else _channels_first(image)
    call = caller(entry, settings, {"spacing": _body_spacing(image, lead)})
    results = [call(parts) for _, parts in parts_of(lead, {"image": given})]
    arrays = [r.array if isinstance(r, Regridded) else r for r in results]
    array, axes = put_back(arrays, lead, given, keep_channels=True)
    if "C" in axes and array.shape[axes.index("C")] != given.size("C"):
        given = given.replace(channels=())  # others than were named
    spacing = results[0].spacing if isinstance(results[0], Regridded) else ()
    filtered = regridded(given, array, axes, spacing).canonical()
    return filtered if "C" in image.axes else filtered.channel(0)


def _segmented(
    entry: Entry, settings: dict[str, Any], image: Image, recipe: Recipe, data: Mapping[str, Stack]
) -> Generator[Step, None, Labels]:
    _refuse_lazy(entry, image)
    lead = _lead(entry, image, recipe.apply_to)
    one = entry.channels == "one"
    image = _one_channel(image, recipe.channel) if one else _channels_first(image)
    call = caller(
        entry,
        settings,
        {
            "spacing": _body_spacing(image, lead),
            "unit": image.unit,
            "orientation": _body_orientation(image, lead),
        },
    )
    results = yield from each(lead, {"image": image, **data}, call)
    first = results[0] if isinstance(results[0], Result) else Result(results[0], entry.gives)
    arrays = [r.array if isinstance(r, Result) else r for r in results]
    offsets = [0] * len(arrays)
    if first.holds == "objects" and "Z" in lead:
        arrays, offsets = numbered_through(arrays, image.size("Z"))
    array, axes = put_back(arrays, lead, image)
    return Labels(
        array, axes, **image.geometry(), holds=cast("Holds", first.holds), names=first.names,
        values=first.values, features=features_of(results, positions(lead, image), offsets),
        maps=map_images(results, lead, [image.size(a) for a in lead], image),
    )  # fmt: skip


def _cleaned(
    entry: Entry, settings: dict[str, Any], labels: Labels, image: Image, apply_to: ApplyTo
) -> Labels:
    _refuse_lazy(entry, labels)
    lead = _lead(entry, labels, apply_to)
    fixed = {
        "spacing": _body_spacing(labels, lead), "holds": labels.holds, "values": labels.values,
    }  # fmt: skip
    call = caller(entry, settings, fixed)
    stacks: dict[str, Stack] = {"labels": _as_mask(labels)}
    stacks |= {name: chart for name, chart in labels.maps.items() if name in entry.data}
    if "image" in entry.data:
        stacks["image"] = image
    holds: Holds = entry.gives or labels.holds  # type: ignore[assignment]
    arrays = [call(parts) for _, parts in parts_of(lead, stacks)]
    if holds == "objects" and "Z" in lead:
        arrays, _ = numbered_through(arrays, labels.size("Z"))
    array, axes = put_back(arrays, lead, labels)
    cleaned = replace(labels, data=array, axes=axes, holds=holds, features={})
    return cleaned.replace(features=followed(labels.features, labels, cleaned))


# ---- what is segmented at once ----


def _lead(entry: Entry, stack: Stack, apply_to: ApplyTo) -> str:
    """The axes over which the entry is called again and again."""
    lead = "T" if "T" in stack.axes else ""
    if apply_to == "stack" and entry.pointwise:
        return ""
    if apply_to == "stack" and entry.kind == "methods":
        raise InputError(
            f"{entry.name!r} looks at neighbours, so it cannot take all time points together. "
            "Use apply_to='volume' or apply_to='plane'."
        )
    if "Z" not in stack.axes:
        return _checked_2d(entry, lead)
    if apply_to == "plane" and not _joins_planes(entry):
        return _checked_2d(entry, lead + "Z")
    if 3 in entry.ndim:
        return lead
    if apply_to == "volume" and entry.kind == "methods":
        raise InputError(
            f"{entry.name!r} works on planes, not on volumes. Use apply_to='plane' or "
            "apply_to='auto'."
        )
    return lead + "Z"


def _joins_planes(entry: Entry) -> bool:
    """Whether a cleanup makes volumes of planes; what comes after it takes volumes."""
    return entry.kind == "cleanups" and entry.ndim == (3,)


def _checked_2d(entry: Entry, lead: str) -> str:
    if 2 not in entry.ndim:
        raise InputError(f"{entry.name!r} works on volumes (ZYX) only; this would give it planes.")
    return lead


def _announce(entry: Entry, stack: Stack, apply_to: ApplyTo) -> str:
    lead = _lead(entry, stack, apply_to)
    if not lead:
        return entry.title
    count = int(np.prod([stack.size(a) for a in lead]))
    size = "×".join(str(stack.size(a)) for a in stack.spatial_axes if a not in lead)
    what = "plane" if "Z" in lead or "Z" not in stack.axes else "volume"
    return f"{entry.title}: {count} {what}s of {size}, each by itself"


def _body_spacing(stack: Stack, lead: str) -> tuple[float, ...]:
    pairs = zip(stack.spatial_axes, stack.spacing, strict=True)
    return tuple(s for a, s in pairs if a not in lead)


def _body_orientation(stack: Stack, lead: str) -> str:
    """The anatomical direction of each axis that an entry sees; "" where it is not known."""
    pairs = zip(stack.spatial_axes, orientation_of(stack), strict=False)
    return "".join(direction for axis, direction in pairs if axis not in lead)


def _refuse_lazy(entry: Entry, stack: Stack) -> None:
    if entry.whole and stack.is_lazy:
        raise InputError(
            f"{entry.name!r} cannot run block by block: {entry.whole} "
            "Load the image first if it fits into memory: image.compute(), or on the command line "
            "neither --lazy nor --scheduler."
        )


def chosen_times(stack: S, times: tuple[int, int] | tuple[()]) -> S:
    """Cut out a range of time points; all where none is given."""
    if not times:
        return stack
    first, last = times
    if "T" not in stack.axes:
        raise InputError(
            f"The time range {first} to {last} cannot be taken: the axes {stack.axes!r} have no T. "
            "Leave it out, or say which axis is time, such as axes='TYX'."
        )
    if not 0 <= first < last <= stack.size("T"):
        raise InputError(
            f"The time range {first} to {last} does not fit: the stack has {stack.size('T')} time "
            "points, counted from 0, the last one exclusive."
        )
    return stack.replace(data=stack.data[first:last])


def _chosen(image: Image, recipe: Recipe) -> Image:
    """The time range, and the channel where nothing in the recipe wants more than one."""
    image = chosen_times(image.canonical(), recipe.times)
    if "C" not in image.axes:
        return image.channel(recipe.channel)
    method = methods[recipe.method.name]
    chosen = recipe.channel != "auto" and image.size("C") > 1
    if chosen and method.channels == "many" and not _want_image(recipe):
        raise InputError(
            f"{method.name!r} takes all channels, so channel={recipe.channel!r} would choose none. "
            "Choose channels by the filter 'channels', whose setting is 'which'."
        )
    wanting = [*(filters[spec.name] for spec in recipe.filters), method]
    if any(entry.channels == "many" for entry in wanting):
        return image
    return _one_channel(image, recipe.channel)


def _channels_first(image: Image) -> Image:
    """The image with a channel axis in front."""
    if "C" not in image.axes:
        return image.replace(data=image.data[None], axes="C" + image.axes)
    return image.transpose("C" + image.axes.replace("C", ""))


def _one_channel(image: Image, channel: int | str) -> Image:
    if "C" not in image.axes:
        return image
    if channel != "auto":
        return image.channel(channel)
    if image.size("C") == 1:
        return image.channel(0)
    if image.is_rgb:
        return _luminance(image)
    raise InputError(
        f"The image has {image.size('C')} channels and the method takes one. Say which, such as "
        "channel=0."
    )


def _luminance(image: Image) -> Image:
    channels = [image.channel(i) for i in range(3)]
    mixed = sum(w * c.data.astype(np.float32) for w, c in zip(_LUMINANCE, channels, strict=True))
    if image.dtype.kind in "ui":
        mixed = mixed.round().astype(image.dtype)
    return channels[0].replace(data=mixed)


def _want_image(recipe: Recipe) -> bool:
    return any("image" in cleanups[spec.name].data for spec in recipe.cleanups)


def _as_mask(labels: Labels) -> Stack:
    data = labels.data != 0 if labels.holds == "mask" else labels.data
    return Stack(data, labels.axes)
