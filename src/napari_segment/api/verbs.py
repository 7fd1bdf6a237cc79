"""The verbs that every interface calls; those of networks are in `networks`."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from napari_segment.api.coercion import as_image, as_labels
from napari_segment.api.markers import on_image
from napari_segment.api.models import note_model_use
from napari_segment.api.types import ImageLike, LabelsLike
from napari_segment.distribution import version
from napari_segment.engine.execute import apply
from napari_segment.image import Labels
from napari_segment.recipe import ApplyTo, Edit, Recipe, Spec, SpecLike
from napari_segment.registry import cleanups as cleanup_registry
from napari_segment.registry import edits as edit_registry
from napari_segment.registry import filters as filter_registry
from napari_segment.registry import methods
from napari_segment.results.compare import THRESHOLDS, IgnoreIndex
from napari_segment.results.link import MaxGap, MinOverlap
from napari_segment.step import Step, run

if TYPE_CHECKING:
    import pandas as pd

    from napari_segment.results.compare import Aggregate, Scores


def segment(
    image: ImageLike,
    method: SpecLike,
    *,
    filters: Iterable[SpecLike] = (),
    cleanups: Iterable[SpecLike] = (),
    channel: int | str = "auto",
    apply_to: ApplyTo = "auto",
    times: tuple[int, int] | tuple[()] = (),
    axes: str = "",
    **settings: object,
) -> Labels:
    """Segment an image: filters, one method, cleanups.

    Parameters
    ----------
    image : Image, ndarray, dask or zarr Array, str, Path, or napari layer
        What to segment. A Dask array gives lazy labels.
    method : str, (str, mapping), mapping or Spec
        The method by name, such as "otsu", or "network" for a trained network.
    filters, cleanups : iterable of the same
        Run before and after the method, in this order.
    channel : int or str
        The channel that one-channel methods see. "auto" takes the only one, or the luminance of
        an RGB image.
    apply_to : {"auto", "plane", "volume", "stack", "directions"}
        What is segmented at once; "auto" takes volumes where the method can, "directions" planes
        across each axis, linked by a cleanup and joined by their majority.
    times : (first, last), optional
        A range of time points, the last exclusive.
    axes : str
        Axis letters of an array that comes without, such as "TZYX".
    **settings
        The method's settings, and by name the further data it takes: ``markers=`` an array, a
        file, Labels, or a Labels or Points layer of napari.

    Returns
    -------
    Labels
        With the image's geometry and the recipe that made them.

    Raises
    ------
    InputError, SettingError, UnknownNameError
        Saying what was given and what is expected.

    Examples
    --------
    >>> import numpy as np
    >>> picture = np.zeros((4, 4), np.uint8)
    >>> picture[1:3, 1:3] = 200
    >>> int(np.asarray(segment(picture, "otsu")).sum())
    4
    """
    data = _split_data(method, settings)
    spec = Spec.of(method)
    recipe = recipe_of(
        (spec.name, {**spec.settings, **settings}),
        filters=filters, cleanups=cleanups, channel=channel, apply_to=apply_to, times=times,
    )  # fmt: skip
    return run(segment_steps(image, recipe, data=data, axes=axes))


def segment_steps(
    image: ImageLike,
    recipe: Recipe,
    *,
    data: Mapping[str, LabelsLike] | None = None,
    axes: str = "",
) -> Generator[Step, None, Labels]:
    """Segment as long work: a generator of Steps that returns the Labels.

    Parameters
    ----------
    image : as for `segment`
        What to segment.
    recipe : Recipe
        What to do.
    data : mapping, optional
        Further data that the method takes, by parameter name, of the image's shape without C;
        markers may be the points of a napari layer, each at the voxel nearest to it.
    axes : str
        Axis letters of an array that comes without.
    """
    stack = as_image(image, axes)
    extra = {name: on_image(name, given, stack) for name, given in (data or {}).items()}
    recipe = complete(recipe).model_copy(
        update={"warnings": tuple(map(str, stack.header.get("warnings", ())))}
    )
    labels: Labels = yield from apply(recipe, stack, extra)
    if methods[recipe.method.name].group == "network":
        note_model_use(recipe, stack)
    return labels


def replay(
    recipe: Recipe | Mapping[str, Any] | str | Path, image: ImageLike, *, axes: str = "",
    allow_recipe_paths: bool = False,
) -> Labels:  # fmt: skip
    """Do again what a recipe records, on any image.

    Parameters
    ----------
    recipe : Recipe, mapping, str or Path
        A recipe, its plain values (``layer.metadata["napari-segment"]["recipe"]``), or its file.
    image : as for `segment`
        What to segment.
    axes : str
        Axis letters of an array that comes without.
    allow_recipe_paths : bool
        Whether a mapping or file may write to folders that it names (``store``).

    Returns
    -------
    Labels
    """
    if not isinstance(recipe, Recipe):
        read: Any = Recipe.from_plain if isinstance(recipe, Mapping) else Recipe.load
        recipe = cast("Recipe", read(recipe, allow_recipe_paths=allow_recipe_paths))
    return run(segment_steps(image, recipe, axes=axes))


def recipe_of(
    method: SpecLike,
    *,
    filters: Iterable[SpecLike] = (),
    cleanups: Iterable[SpecLike] = (),
    channel: int | str = "auto",
    apply_to: ApplyTo = "auto",
    times: tuple[int, int] | tuple[()] = (),
) -> Recipe:
    """Make a recipe with every name checked and every setting filled in.

    Parameters
    ----------
    method : str, (str, mapping), mapping or Spec
        The method, alone or with its settings: ``("gaussian", {"sigma": 2.0})``.
    filters, cleanups, channel, apply_to, times
        As of `segment`.

    Returns
    -------
    Recipe

    Raises
    ------
    SettingError, UnknownNameError
        Saying what was given and what is expected.
    """
    return complete(
        Recipe.of(
            method=Spec.of(method),
            filters=tuple(Spec.of(f) for f in several(filters)),
            cleanups=tuple(Spec.of(c) for c in several(cleanups)),
            channel=channel,
            apply_to=apply_to,
            times=times,
        )
    )


def complete(recipe: Recipe) -> Recipe:
    """Check a recipe's names and settings, and fill in defaults and version."""
    return recipe.model_copy(
        update={
            "method": methods.complete(recipe.method),
            "filters": tuple(filter_registry.complete(f) for f in recipe.filters),
            "cleanups": tuple(cleanup_registry.complete(c) for c in recipe.cleanups),
            "edits": tuple(map(complete_edit, recipe.edits)),
            "version": recipe.version or version(),
        }
    )


def complete_edit(edit: Edit) -> Edit:
    """Check an edit's name and settings, and fill in the defaults."""
    return Edit(**edit_registry.complete(edit).model_dump(), at=edit.at)


def track(labels: LabelsLike, *, min_overlap: MinOverlap = 0.5, max_gap: MaxGap = 1) -> Labels:
    """Give each object one number through time.

    Parameters
    ----------
    labels : Labels, ndarray, str, Path or napari layer
        Objects with a time axis, numbered at each time point by itself.
    min_overlap : float
        Least fraction of the smaller object that lies in the other.
    max_gap : int
        Largest number of time points in a row that an object may be missing.

    Returns
    -------
    Labels
    """
    from napari_segment.results.link import track as track_objects

    return track_objects(as_labels(labels), min_overlap=min_overlap, max_gap=max_gap)


def measure(
    labels: LabelsLike,
    image: ImageLike | None = None,
    *,
    properties: str | Sequence[str] = "basic",
) -> pd.DataFrame:
    """Measure every object or class.

    Parameters
    ----------
    labels : Labels, ndarray, dask Array, str, Path or napari layer
        What to measure.
    image : Image or the same, optional
        Intensities, of the same shape.
    properties : str or sequence of str
        Names of properties, of their columns, and of groups: "basic", "shape", "intensity",
        "texture", "detail" (computed object by object, and so slower), "all".

    Returns
    -------
    DataFrame
        A row for each object (and time point), a column for each property;
        ``table.attrs["units"]`` has the unit of each column.
    """
    from napari_segment.results.measure import measure as measure_labels

    intensities = None if image is None else as_image(image)
    return measure_labels(as_labels(labels), intensities, properties=properties)


def compare(
    labels: LabelsLike,
    reference: LabelsLike,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    surface: bool = False,
    ignore_index: IgnoreIndex = "none",
) -> Scores:
    """Score labels against a reference.

    Parameters
    ----------
    labels, reference : Labels, ndarray, dask Array, str, Path or napari layer
        Of one shape.
    thresholds : sequence of float
        Overlaps (intersection over union), rising, from which on a pair of objects is a match.
    surface : bool
        Whether to measure distances between surfaces and the overlap of boundaries too. This
        needs each class in memory.
    ignore_index : int or "none"
        Number in the reference of voxels without annotation, which are left out as those of
        negative numbers are.

    Returns
    -------
    Scores
        Dice and IoU per class, and the detection scores of objects.
    """
    from napari_segment.results.compare import compare as compare_labels

    result = as_labels(labels)
    truth = as_labels(reference, holds=result.holds, ignore_index=ignore_index)
    return compare_labels(
        result, truth, thresholds=thresholds, surface=surface, ignore_index=ignore_index
    )


def error_map(
    labels: LabelsLike, reference: LabelsLike, *, ignore_index: IgnoreIndex = "none"
) -> Labels:
    """Say of each voxel what is wrong with it.

    Objects are matched as by `compare`, at an overlap (IoU) of 0.5. Of a reference object the
    voxels in the object that it is matched with are true positives; those in an object that also
    holds more than half of another reference object are merged; those in one of several objects
    that lie in it by more than half are split; all others are missed. Foreground outside of the
    reference is false positive.

    Parameters
    ----------
    labels, reference : Labels, ndarray, dask Array, str, Path or napari layer
        As of `compare`.
    ignore_index : int or "none"
        Number in the reference of voxels without annotation, which are 0 as those of negative
        numbers are.

    Returns
    -------
    Labels
        Classes on the grid of the reference: 1 true positive, 2 false positive, 3 missed, 4 merged,
        5 split, 6 wrong class, with these names; 0 where both are background. Lazy where one of the
        two is.

    Raises
    ------
    GeometryError
        If the two do not overlap in the world, or, where a position is unknown, differ in shape or
        spacing.
    InputError
        If they hold different things.
    """
    from napari_segment.results.compare import error_map as map_of_errors

    result = as_labels(labels)
    truth = as_labels(reference, holds=result.holds, ignore_index=ignore_index)
    return map_of_errors(result, truth, ignore_index=ignore_index)


def aggregate(scores: Iterable[Scores]) -> Aggregate:
    """Join the scores of several cases: their mean, and all objects and voxels pooled.

    Parameters
    ----------
    scores : iterable of Scores
        What `compare` gave for each case.

    Returns
    -------
    Aggregate
        ``mean`` over the cases and ``pooled`` scores, each with a 95 % bootstrap interval
        (``mean_interval``, ``pooled_interval``).
    """
    from napari_segment.results.compare import aggregate as aggregate_scores

    return aggregate_scores(scores)


def _split_data(method: SpecLike, settings: dict[str, Any]) -> dict[str, Any]:
    """Take the entry's further data out of the settings."""
    names = methods[Spec.of(method).name].data
    return {name: settings.pop(name) for name in list(settings) if name in names}


def several(specs: Iterable[SpecLike] | SpecLike) -> Iterable[SpecLike]:
    """Forgive a single entry where a list of them is wanted."""
    return [specs] if isinstance(specs, str | Spec | Mapping) else cast("Iterable[SpecLike]", specs)
