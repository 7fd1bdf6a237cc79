"""Which layers belong together: what a form chooses before a person does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from napari_segment.widgets.forms.source import is_image, is_labels
from napari_segment.widgets.layers.conversion import KEY, known_axes, shape_of

if TYPE_CHECKING:
    from napari.layers import Layer


def image_for(labels: Layer | None, layers: Iterable[Layer]) -> Any:
    """Return the image that labels were made of, else one of their shape; None without one."""
    images = [layer for layer in layers if is_image(layer)]
    if labels is None:
        return None
    source = labels.metadata.get(KEY, {}).get("source", "")
    same = [image for image in images if shape_of(labels) in _grids(image)]
    return next((image for image in images if image.name == source), next(iter(same), None))


def labels_for(image: Layer | None, layers: Iterable[Layer]) -> Any:
    """Return labels to train on for an image: of its shape, those by hand before results."""
    if image is None:
        return None
    labels = [la for la in layers if is_labels(la) and not _is_errors(la)]
    same = [la for la in labels if shape_of(la) in _grids(image)]
    return next(iter(sorted(same, key=_is_result)), None)


def reference_for(result: Layer | None, layers: Iterable[Layer]) -> Any:
    """Return labels to compare a result with: other ones of its shape, best no result."""
    if result is None:
        return None
    others = [la for la in layers if is_labels(la) and la is not result and not _is_errors(la)]
    same = [la for la in others if shape_of(la) == shape_of(result)]
    return next(iter(sorted(same, key=_is_result)), next(iter(others), None))


def newest_result(layers: Iterable[Layer]) -> Any:
    """Return the last Labels layer that a run made, else the last one; None without any."""
    labels = [layer for layer in layers if is_labels(layer) and not _is_errors(layer)]
    results = [layer for layer in labels if _is_result(layer)] or labels
    return results[-1] if results else None


def _is_result(layer: Layer) -> bool:
    return bool(layer.metadata.get(KEY, {}).get("recipe"))


def _is_errors(layer: Layer) -> bool:
    """Whether a layer shows what is wrong with another one."""
    return bool(layer.metadata.get(KEY, {}).get("errors"))


def _grids(image: Layer) -> tuple[tuple[int, ...], ...]:
    """Return the shapes that labels of an image can have: its own, and without channels."""
    shape, axes = shape_of(image), known_axes(image)
    shape = shape[: image.ndim]  # less the colours of RGB
    at = axes.find("C")
    return (shape,) if at < 0 else (shape, shape[:at] + shape[at + 1 :])
