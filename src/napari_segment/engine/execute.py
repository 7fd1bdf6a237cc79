"""A recipe over the axes of an image: the one place where T, C and Z are dealt with.

Filters, method and cleanups see plain arrays ``(*S)`` or ``(C, *S)`` of one plane or volume; here
they are called for each of them, and the results put back in the image's own order of axes.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from napari_segment.engine.axes import (
    announcement,
    check_memory,
    joins_planes,
    leading_axes,
    orientation_of_parts,
    spacing_of_parts,
)
from napari_segment.engine.directions import segment_directions
from napari_segment.engine.grids import resample_labels_to, resample_to, with_grid
from napari_segment.engine.merge import merge_arrays, merge_features, merge_maps, offset_labels
from napari_segment.engine.selection import (
    channels_first,
    cleanups_need_image,
    select_input,
    select_times,
    single_channel,
)
from napari_segment.engine.split import bind, call_parts, positions, split
from napari_segment.image import Holds, Image, Labels, Stack
from napari_segment.recipe import ApplyTo, Recipe, Spec
from napari_segment.registry import Entry, Regridded, Result, cleanups, filters, methods
from napari_segment.results.features import followed
from napari_segment.step import Step, run


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
        labels = yield from segment_directions(recipe, image.canonical(), data, apply)
        return labels.transpose(order.replace("C", "")).replace(recipe=recipe)
    image = select_input(image, recipe)
    data = {name: select_times(stack.canonical(), recipe.times) for name, stack in data.items()}
    total = len(recipe.filters) + 1 + len(recipe.cleanups)
    own = image
    image = yield from run_filters(recipe.filters, image, recipe.apply_to, total)
    entry = methods[recipe.method.name]
    yield Step(len(recipe.filters), total, announcement(entry, image, recipe.apply_to))
    settings = entry.validate(recipe.method.settings)
    data = {name: resample_to(stack, image) for name, stack in data.items()}
    labels = yield from _run_method(entry, settings, image, recipe, data)
    apply_to = recipe.apply_to
    seen = single_channel(image, recipe.channel) if cleanups_need_image(recipe) else image
    for done, spec in enumerate(recipe.cleanups, len(recipe.filters) + 1):
        entry = cleanups[spec.name]
        yield Step(done, total, announcement(entry, labels, apply_to))
        labels = _run_cleanup(entry, entry.validate(spec.settings), labels, seen, apply_to)
        apply_to = "auto" if joins_planes(entry) else apply_to
    labels = resample_labels_to(labels, own)
    return labels.transpose("".join(a for a in order if a in labels.axes)).replace(recipe=recipe)


def as_seen(recipe: Recipe, image: Image) -> Image:
    """`method_input_steps`, at once."""
    return run(method_input_steps(recipe, image))


def method_input_steps(recipe: Recipe, image: Image) -> Generator[Step, None, Image]:
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
    image = select_input(image, recipe)
    image = yield from run_filters(recipe.filters, image, recipe.apply_to, len(recipe.filters))
    many = methods[recipe.method.name].channels == "many"
    return image if many else single_channel(image, recipe.channel)


def run_filters(
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
        yield Step(done, total, announcement(entry, image, apply_to))
        image = _run_filter(entry, entry.validate(spec.settings), image, apply_to)
    return image


# ---- the three parts of a recipe ----


def _run_filter(entry: Entry, settings: dict[str, Any], image: Image, apply_to: ApplyTo) -> Image:
    check_memory(entry, image)
    lead = leading_axes(entry, image, apply_to)
    if entry.channels == "one":
        lead = "".join(a for a in image.axes if a in lead + "C")
    given = image if entry.channels == "one" else channels_first(image)
    call = bind(entry, settings, {"spacing": spacing_of_parts(image, lead)})
    results = [call(parts) for _, parts in split(lead, {"image": given})]
    arrays = [r.array if isinstance(r, Regridded) else r for r in results]
    array, axes = merge_arrays(arrays, lead, given, keep_channels=True)
    if "C" in axes and array.shape[axes.index("C")] != given.size("C"):
        given = given.replace(channels=())  # others than were named
    spacing = results[0].spacing if isinstance(results[0], Regridded) else ()
    filtered = with_grid(given, array, axes, spacing).canonical()
    return filtered if "C" in image.axes else filtered.channel(0)


def _run_method(
    entry: Entry, settings: dict[str, Any], image: Image, recipe: Recipe, data: Mapping[str, Stack]
) -> Generator[Step, None, Labels]:
    check_memory(entry, image)
    lead = leading_axes(entry, image, recipe.apply_to)
    one = entry.channels == "one"
    image = single_channel(image, recipe.channel) if one else channels_first(image)
    call = bind(
        entry,
        settings,
        {
            "spacing": spacing_of_parts(image, lead),
            "unit": image.unit,
            "orientation": orientation_of_parts(image, lead),
        },
    )
    results = yield from call_parts(lead, {"image": image, **data}, call)
    first = results[0] if isinstance(results[0], Result) else Result(results[0], entry.gives)
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


def _run_cleanup(
    entry: Entry, settings: dict[str, Any], labels: Labels, image: Image, apply_to: ApplyTo
) -> Labels:
    check_memory(entry, labels)
    lead = leading_axes(entry, labels, apply_to)
    fixed = {
        "spacing": spacing_of_parts(labels, lead), "holds": labels.holds, "values": labels.values,
    }  # fmt: skip
    call = bind(entry, settings, fixed)
    stacks: dict[str, Stack] = {"labels": _as_mask(labels)}
    stacks |= {name: chart for name, chart in labels.maps.items() if name in entry.data}
    if "image" in entry.data:
        stacks["image"] = image
    holds: Holds = entry.gives or labels.holds  # type: ignore[assignment]
    arrays = [call(parts) for _, parts in split(lead, stacks)]
    if holds == "objects" and "Z" in lead:
        arrays, _ = offset_labels(arrays, labels.size("Z"))
    array, axes = merge_arrays(arrays, lead, labels)
    cleaned = replace(labels, data=array, axes=axes, holds=holds, features={})
    return cleaned.replace(features=followed(labels.features, labels, cleaned))


def _as_mask(labels: Labels) -> Stack:
    data = labels.data != 0 if labels.holds == "mask" else labels.data
    return Stack(data, labels.axes)
