"""A recipe over the axes of an image: the one place where T, C and Z are dealt with.

Filters, method and cleanups see plain arrays ``(*S)`` or ``(C, *S)`` of one plane or volume; here
they are called for each of them, and the results put back in the image's own order of axes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from napari_segment.blocks import is_lazy, reduce
from napari_segment.errors import InputError
from napari_segment.image import Holds, Image, Labels, Stack, smallest_integers
from napari_segment.recipe import Per, Recipe
from napari_segment.registry import Entry, Result, cleanups, filters, methods
from napari_segment.step import Step

S = TypeVar("S", bound=Stack)
Arrays = Mapping[str, Any]

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
    image = _chosen(image, recipe)
    data = {name: _chosen_times(stack.canonical(), recipe.times) for name, stack in data.items()}
    total = len(recipe.filters) + 1 + len(recipe.cleanups)
    for done, spec in enumerate(recipe.filters):
        entry = filters[spec.name]
        yield Step(done, total, _announce(entry, image, recipe.per))
        image = _filtered(entry, entry.validate(spec.settings), image, recipe.per)
    entry = methods[recipe.method.name]
    yield Step(len(recipe.filters), total, _announce(entry, image, recipe.per))
    settings = entry.validate(recipe.method.settings)
    labels = yield from _segmented(entry, settings, image, recipe, data)
    seen = _one_channel(image, recipe.channel) if _want_image(recipe) else image
    for done, spec in enumerate(recipe.cleanups, len(recipe.filters) + 1):
        entry = cleanups[spec.name]
        yield Step(done, total, _announce(entry, labels, recipe.per))
        labels = _cleaned(entry, entry.validate(spec.settings), labels, seen, recipe.per)
    return labels.transpose("".join(a for a in order if a in labels.axes)).replace(recipe=recipe)


def as_seen(recipe: Recipe, image: Image) -> Image:
    """The image as a recipe's method sees it: its range of times, filtered, of one channel.

    Parameters
    ----------
    recipe : Recipe
        What is to be done.
    image : Image
        Any axes. In memory or lazy.

    Returns
    -------
    Image
        In canonical order of axes; all channels where the method takes many.
    """
    image = _chosen(image, recipe)
    for spec in recipe.filters:
        entry = filters[spec.name]
        image = _filtered(entry, entry.validate(spec.settings), image, recipe.per)
    many = methods[recipe.method.name].channels == "many"
    return image if many else _one_channel(image, recipe.channel)


# ---- the three parts of a recipe ----


def _filtered(entry: Entry, settings: dict[str, Any], image: Image, per: Per) -> Image:
    _refuse_lazy(entry, image)
    lead = _lead(entry, image, per)
    if entry.channels == "one":
        lead = "".join(a for a in image.axes if a in lead + "C")
    given = image if entry.channels == "one" else _channels_first(image)
    call = _caller(entry, settings, {"spacing": _body_spacing(image, lead)})
    array, axes = _over(lead, {"image": given}, call)
    filtered = given.replace(data=array, axes=axes).canonical()
    return filtered if "C" in image.axes else filtered.channel(0)


def _segmented(
    entry: Entry, settings: dict[str, Any], image: Image, recipe: Recipe, data: Mapping[str, Stack]
) -> Generator[Step, None, Labels]:
    _refuse_lazy(entry, image)
    lead = _lead(entry, image, recipe.per)
    one = entry.channels == "one"
    image = _one_channel(image, recipe.channel) if one else _channels_first(image)
    call = _caller(entry, settings, {"spacing": _body_spacing(image, lead), "unit": image.unit})
    results = yield from _each(lead, {"image": image, **data}, call)
    first = results[0]
    holds: Holds = first.holds if isinstance(first, Result) else entry.gives  # type: ignore[assignment]
    names = first.names if isinstance(first, Result) else {}
    arrays = [r.array if isinstance(r, Result) else r for r in results]
    if holds == "objects" and "Z" in lead:
        arrays = _numbered_through(arrays, image.size("Z"))
    array, axes = _put_back(arrays, lead, image)
    return Labels(array, axes, **image.geometry(), holds=holds, names=names)


def _cleaned(
    entry: Entry, settings: dict[str, Any], labels: Labels, image: Image, per: Per
) -> Labels:
    _refuse_lazy(entry, labels)
    lead = _lead(entry, labels, per)
    fixed = {"spacing": _body_spacing(labels, lead), "holds": labels.holds}
    call = _caller(entry, settings, fixed)
    stacks: dict[str, Stack] = {"labels": _as_mask(labels)}
    if "image" in entry.data:
        stacks["image"] = image
    holds: Holds = entry.gives or labels.holds  # type: ignore[assignment]
    arrays = [call(parts) for _, parts in _parts(lead, stacks)]
    if holds == "objects" and "Z" in lead:
        arrays = _numbered_through(arrays, labels.size("Z"))
    array, axes = _put_back(arrays, lead, labels)
    return replace(labels, data=array, axes=axes, holds=holds)


# ---- calling an entry on each plane or volume ----


def _caller(
    entry: Entry, settings: dict[str, Any], fixed: Mapping[str, Any]
) -> Callable[[Arrays], Any]:
    """A call of the entry's function with its data parameters by name."""
    required = [
        p.name
        for p in entry.parameters
        if p.kind is not p.KEYWORD_ONLY and p.default is inspect.Parameter.empty
    ]

    def call(arrays: Arrays) -> Any:
        given = {**fixed, **arrays}
        missing = [name for name in required if name not in given]
        if missing:
            raise InputError(f"{entry.name!r} also needs {missing[0]}: give {missing[0]}=….")
        return entry.function(**{n: given[n] for n in entry.data if n in given}, **settings)

    return call


def _over(lead: str, stacks: Mapping[str, Stack], call: Callable[[Arrays], Any]) -> tuple[Any, str]:
    arrays = [call(parts) for _, parts in _parts(lead, stacks)]
    return _put_back(arrays, lead, next(iter(stacks.values())), keep_channels=True)


def _each(
    lead: str, stacks: Mapping[str, Stack], call: Callable[[Arrays], Any]
) -> Generator[Step, None, list[Any]]:
    """Call on each part; forward the Steps of long work."""
    results = []
    for name, parts in _parts(lead, stacks):
        result = call(parts)
        if inspect.isgenerator(result):
            result = yield from _named(result, name)
        results.append(result)
        if name:
            yield Step(len(results), _count(lead, stacks), name)
    return results


def _named(steps: Generator[Any, Any, Any], name: str) -> Generator[Step, None, Any]:
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value
        message = f"{name}: {step.message}" if name and step.message else name or step.message
        yield replace(step, message=message)


def _count(lead: str, stacks: Mapping[str, Stack]) -> int:
    first = next(iter(stacks.values()))
    return int(np.prod([first.size(a) for a in lead]))


def _parts(lead: str, stacks: Mapping[str, Stack]) -> Generator[tuple[str, Arrays], None, None]:
    """Cut stacks along the leading axes: a name such as "T 0, Z 3", and the arrays."""
    first = next(iter(stacks.values()))
    ordered = {
        name: stack.transpose(
            "".join(a for a in lead if a in stack.axes)
            + "".join(a for a in stack.axes if a not in lead)
        )
        for name, stack in stacks.items()
    }
    for index in np.ndindex(*(first.size(a) for a in lead)):
        where = dict(zip(lead, index, strict=True))
        name = ", ".join(f"{axis} {i}" for axis, i in where.items())
        yield (
            name,
            {
                key: stack.data[tuple(where[a] for a in lead if a in stack.axes)]
                for key, stack in ordered.items()
            },
        )


def _put_back(
    arrays: Sequence[Any], lead: str, stack: Stack, *, keep_channels: bool = False
) -> tuple[Any, str]:
    """Stack results along the leading axes again: the array, and its axes."""
    dropped = "" if keep_channels else "C"
    body = "".join(a for a in stack.axes if a not in lead + dropped)
    if not lead:
        return arrays[0], body
    shape = tuple(stack.size(a) for a in lead)
    if any(is_lazy(a) for a in arrays):
        import dask.array as da

        stacked = da.stack(arrays).reshape((*shape, *arrays[0].shape))
    else:
        stacked = np.stack(arrays).reshape((*shape, *np.shape(arrays[0])))
    return stacked, lead + body


def _numbered_through(arrays: Sequence[Any], planes: int) -> list[Any]:
    """Give objects of different planes of one volume different numbers."""
    counts = [reduce(a, _largest, _maximum) for a in arrays]
    numbered = []
    for start in range(0, len(arrays), planes):
        offset = 0
        largest = smallest_integers(sum(counts[start : start + planes]))
        for array, count in zip(arrays[start:], counts[start : start + planes], strict=False):
            shifted = array.astype(largest)
            numbered.append(shifted + (array > 0).astype(largest) * largest.type(offset))
            offset += count
    return numbered


def _largest(block: Any) -> int:
    return int(block.max(initial=0))


def _maximum(counts: Sequence[int]) -> int:
    return max(counts)


# ---- what is segmented at once ----


def _lead(entry: Entry, stack: Stack, per: Per) -> str:
    """The axes over which the entry is called again and again."""
    lead = "T" if "T" in stack.axes else ""
    if per == "stack" and entry.pointwise:
        return ""
    if per == "stack" and entry.kind == "methods":
        raise InputError(
            f"{entry.name!r} looks at neighbours, so it cannot take all time points together. "
            "Use per='volume' or per='plane'."
        )
    if "Z" not in stack.axes:
        return _checked_2d(entry, lead)
    joins_planes = entry.kind == "cleanups" and entry.ndim == (3,)
    if per == "plane" and not joins_planes:
        return _checked_2d(entry, lead + "Z")
    if 3 in entry.ndim:
        return lead
    if per == "volume" and entry.kind == "methods":
        raise InputError(
            f"{entry.name!r} works on planes, not on volumes. Use per='plane' or per='auto'."
        )
    return lead + "Z"


def _checked_2d(entry: Entry, lead: str) -> str:
    if 2 not in entry.ndim:
        raise InputError(f"{entry.name!r} works on volumes (ZYX) only; this would give it planes.")
    return lead


def _announce(entry: Entry, stack: Stack, per: Per) -> str:
    lead = _lead(entry, stack, per)
    if not lead:
        return entry.title
    count = int(np.prod([stack.size(a) for a in lead]))
    size = "×".join(str(stack.size(a)) for a in stack.spatial_axes if a not in lead)
    what = "plane" if "Z" in lead or "Z" not in stack.axes else "volume"
    return f"{entry.title}: {count} {what}s of {size}, each by itself"


def _body_spacing(stack: Stack, lead: str) -> tuple[float, ...]:
    pairs = zip(stack.spatial_axes, stack.spacing, strict=True)
    return tuple(s for a, s in pairs if a not in lead)


def _refuse_lazy(entry: Entry, stack: Stack) -> None:
    if entry.whole and stack.is_lazy:
        raise InputError(
            f"{entry.name!r} cannot run block by block: {entry.whole} "
            "Load the image first (image.compute()) if it fits into memory."
        )


def _chosen_times(stack: S, times: tuple[int, int] | tuple[()]) -> S:
    if not times or "T" not in stack.axes:
        return stack
    first, last = times
    if not 0 <= first < last <= stack.size("T"):
        raise InputError(
            f"The time range {first} to {last} does not fit: the stack has {stack.size('T')} time "
            "points, counted from 0, the last one exclusive."
        )
    return stack.replace(data=stack.data[first:last])


def _chosen(image: Image, recipe: Recipe) -> Image:
    """The time range, and the channel where nothing in the recipe wants more than one."""
    image = _chosen_times(image.canonical(), recipe.times)
    if "C" not in image.axes:
        return image.channel(recipe.channel)
    wanting = [*(filters[spec.name] for spec in recipe.filters), methods[recipe.method.name]]
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
