"""Labels of nnU-Net: classes, regions, the ignore label, and label numbers from logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.inference.decoding import Slab, argmax
from napari_segment.errors import FormatError

if TYPE_CHECKING:
    from torch import Tensor

IGNORE = "ignore"
BACKGROUND = "background"


@dataclass(frozen=True)
class LabelTable:
    """What the labels of a data set are.

    Parameters
    ----------
    names : mapping of int to str
        Names of the classes by number, without the background. A region's name stands at the
        number that its voxels get.
    numbers : tuple of int
        All label numbers, background first, without the ignore label.
    regions : tuple of int
        With regions (classes that contain each other), the number that each output writes, in
        order; empty where the outputs exclude each other.
    """

    names: Mapping[int, str]
    numbers: tuple[int, ...]
    regions: tuple[int, ...] = ()

    @property
    def outputs(self) -> int:
        """Return the number of output channels."""
        return len(self.regions) or len(self.numbers)

    def decode(self, slab: Slab) -> NDArray[np.uint8 | np.uint16]:
        """Decode logits to label numbers.

        Without regions the largest output's number; with regions each output above 0 (a
        probability of 0.5) writes its number, in order.
        """
        if not self.regions:
            return argmax(slab)
        import torch

        kind = torch.uint8 if max(self.regions) < 256 else torch.int32
        labels = torch.zeros(slab.sums.shape[1:], dtype=kind, device=slab.sums.device)
        for output, number in zip(slab.sums, self.regions, strict=True):
            labels.masked_fill_(output > 0, number)
        return _array(labels)


def _array(labels: Tensor) -> NDArray[np.uint8 | np.uint16]:
    values = labels.cpu().numpy()
    return values if values.dtype == np.uint8 else values.astype(np.uint16)


def read_labels(
    labels: Mapping[str, int | Sequence[int]], order: Sequence[int] | None, source: str
) -> LabelTable:
    """Make the table of the labels in a ``dataset.json``.

    Parameters
    ----------
    labels : mapping
        Name to number, or to the numbers of a region.
    order : sequence of int, optional
        ``regions_class_order``.
    source : str
        The file, for messages.
    """
    if labels.get(BACKGROUND) not in (0, [0]):
        raise FormatError(f"{source} has no label 'background' of number 0.")
    classes = {name: _numbers(value) for name, value in labels.items() if name != IGNORE}
    numbers = tuple(sorted({n for group in classes.values() for n in group}))
    foreground = {name: group for name, group in classes.items() if set(group) != {0}}
    if any(len(group) > 1 for group in classes.values()):
        return _region_table(foreground, numbers, order, source)
    if numbers != tuple(range(len(numbers))) or len(numbers) != len(classes):
        raise FormatError(
            f"{source} has the labels {numbers}; those of nnU-Net are 0, 1, 2, … without gaps."
        )
    return LabelTable({group[0]: name for name, group in foreground.items()}, numbers)


def _region_table(
    regions: Mapping[str, tuple[int, ...]], numbers: tuple[int, ...],
    order: Sequence[int] | None, source: str,
) -> LabelTable:  # fmt: skip
    if order is None or len(order) != len(regions) or not set(order) <= set(numbers):
        raise FormatError(
            f"{source} has the regions {', '.join(regions)}, but its 'regions_class_order' is "
            f"{order}: one of its label numbers is needed for each region."
        )
    # Where regions contain each other, a later one keeps the voxels: the name is that of the rest.
    return LabelTable(dict(zip(order, regions, strict=True)), numbers, tuple(order))


def _numbers(value: int | Sequence[int]) -> tuple[int, ...]:
    return (int(value),) if isinstance(value, int) else tuple(int(v) for v in value)
