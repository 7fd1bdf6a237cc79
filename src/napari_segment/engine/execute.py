"""A recipe over the axes of an image: the one place where T, C and Z are dealt with.

Filters, method and cleanups see plain arrays ``(*S)`` or ``(C, *S)`` of one plane or volume; here
they are called for each of them, and the results put back in the image's own order of axes.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace

from napari_segment.engine.axes import joins_planes, orientation_of_parts, spacing_of_parts
from napari_segment.engine.directions import segment_directions
from napari_segment.engine.edits import apply_edits
from napari_segment.engine.grids import resample_labels_to, resample_to, with_grid
from napari_segment.engine.merge import merge_arrays, merge_cleaned, merge_labels
from napari_segment.engine.plan import Plan
from napari_segment.engine.selection import (
    channels_first,
    cleanups_need_image,
    select_input,
    select_times,
    single_channel,
)
from napari_segment.image import Image, Labels, Stack
from napari_segment.recipe import ApplyTo, Recipe, Spec
from napari_segment.registry import Regridded, cleanups, filters, methods
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
        What the method takes besides the image, such as markers; of the image's geometry without C.

    Yields
    ------
    Step
        One before each part of the recipe, and those of long parts.

    Returns
    -------
    Labels
        With the image's axes but C; lazy where the image is.
    """
    if recipe.apply_to == "directions":
        labels = yield from segment_directions(recipe, image.canonical(), data, apply)
    else:
        labels = yield from _segment(recipe, image, data)
    labels = labels.transpose("".join(a for a in image.axes if a in labels.axes))
    if recipe.edits:
        yield Step(0, len(recipe.edits), f"{len(recipe.edits)} edits by hand")
        labels = apply_edits(recipe, labels, select_times(image.canonical(), recipe.times))
    return labels.replace(recipe=recipe)


def _segment(
    recipe: Recipe, image: Image, data: Mapping[str, Stack]
) -> Generator[Step, None, Labels]:
    """Run the parts of a recipe one after the other: labels on the image's grid."""
    selected = select_input(image, recipe)
    data = {name: select_times(stack.canonical(), recipe.times) for name, stack in data.items()}
    total = len(recipe.filters) + 1 + len(recipe.cleanups)
    filtered = yield from run_filters(recipe.filters, selected, recipe.apply_to, total)
    labels = yield from _run_method(recipe, filtered, data, total)
    seen = single_channel(filtered, recipe.channel) if cleanups_need_image(recipe) else filtered
    pictures = _Pictures(seen, selected)
    labels = yield from _run_cleanups(recipe.cleanups, labels, pictures, recipe.apply_to, total)
    return resample_labels_to(labels, selected)


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
        plan = Plan.of(spec, filters, image, apply_to)
        yield Step(done, total, plan.message)
        image = yield from _run_filter(plan, image)
    return image


def _run_filter(plan: Plan, image: Image) -> Generator[Step, None, Image]:
    """Run one filter; a filter of one channel on each of them."""
    if plan.entry.channels == "one":
        given, lead = image, "".join(a for a in image.axes if a in plan.lead + "C")
    else:
        given, lead = channels_first(image), plan.lead
    fixed = {"spacing": spacing_of_parts(image, lead)}
    results = yield from replace(plan, lead=lead).run({"image": given}, fixed)
    arrays = [r.array if isinstance(r, Regridded) else r for r in results]
    array, axes = merge_arrays(arrays, lead, given, keep_channels=True)
    if "C" in axes and array.shape[axes.index("C")] != given.size("C"):
        given = given.replace(channels=())  # others than were named
    spacing = results[0].spacing if isinstance(results[0], Regridded) else ()
    filtered = with_grid(given, array, axes, spacing).canonical()
    return filtered if "C" in image.axes else filtered.channel(0)


def _run_method(
    recipe: Recipe, image: Image, data: Mapping[str, Stack], total: int
) -> Generator[Step, None, Labels]:
    """Run the method on the filtered image."""
    plan = Plan.of(recipe.method, methods, image, recipe.apply_to)
    yield Step(len(recipe.filters), total, plan.message)
    data = {name: resample_to(stack, image) for name, stack in data.items()}
    one = plan.entry.channels == "one"
    image = single_channel(image, recipe.channel) if one else channels_first(image)
    fixed = {
        "spacing": spacing_of_parts(image, plan.lead), "unit": image.unit,
        "orientation": orientation_of_parts(image, plan.lead), "channel_names": image.channels,
    }  # fmt: skip
    results = yield from plan.run({"image": image, **data}, fixed)
    return merge_labels(results, plan.lead, image, plan.entry.gives)


def clean(
    specs: Sequence[Spec],
    labels: Labels,
    image: Image | None,
    channel: int | str,
    apply_to: ApplyTo,
) -> Generator[Step, None, Labels]:
    """Run cleanups on labels that are there already.

    Parameters
    ----------
    specs : sequence of Spec
        The cleanups, with every setting filled in.
    labels : Labels
        Any axes. In memory or lazy.
    image : Image or None
        For cleanups that look at intensities; on the grid of the labels.
    channel, apply_to
        As of `Recipe`.

    Returns
    -------
    Labels
        With the axes of the labels, without a recipe.
    """
    pictures = None
    if image is not None:
        image = image.canonical()
        one = any(_takes_image(spec, "one") for spec in specs)
        pictures = _Pictures(single_channel(image, channel) if one else image, image)
    cleaned = yield from _run_cleanups(specs, labels.canonical(), pictures, apply_to, len(specs))
    return cleaned.transpose(labels.axes).replace(recipe=None)


@dataclass(frozen=True)
class _Pictures:
    """What cleanups see of an image: one filtered channel, or all channels before the filters."""

    filtered: Image
    unfiltered: Image

    def of(self, plan: Plan) -> Image:
        one = plan.entry.channels == "one"
        return self.filtered if one else channels_first(self.unfiltered)


def _run_cleanups(
    specs: Sequence[Spec], labels: Labels, pictures: _Pictures | None, apply_to: ApplyTo, total: int
) -> Generator[Step, None, Labels]:
    """Run the cleanups one after the other; what comes after a link of planes takes volumes."""
    for done, spec in enumerate(specs, total - len(specs)):
        plan = Plan.of(spec, cleanups, labels, apply_to)
        yield Step(done, total, plan.message)
        labels = yield from _run_cleanup(plan, labels, pictures)
        apply_to = "auto" if joins_planes(plan.entry) else apply_to
    return labels


def _run_cleanup(
    plan: Plan, labels: Labels, pictures: _Pictures | None
) -> Generator[Step, None, Labels]:
    entry, lead = plan.entry, plan.lead
    fixed = {
        "spacing": spacing_of_parts(labels, lead), "unit": labels.unit, "holds": labels.holds,
        "values": labels.values,
    }  # fmt: skip
    stacks: dict[str, Stack] = {"labels": _as_mask(labels)}
    stacks |= {name: chart for name, chart in labels.maps.items() if name in entry.data}
    if "image" in entry.data and pictures is not None:
        stacks["image"] = resample_to(pictures.of(plan), labels)
    results = yield from plan.run(stacks, fixed)
    return merge_cleaned(results, lead, labels, entry.gives)


def _takes_image(spec: Spec, channels: str) -> bool:
    entry = cleanups[spec.name]
    return "image" in entry.data and entry.channels == channels


def _as_mask(labels: Labels) -> Stack:
    data = labels.data != 0 if labels.holds == "mask" else labels.data
    return Stack(data, labels.axes)
