"""Whether 255 means foreground: decided once over all label files of a data set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from napari_segment.errors import FormatError
from napari_segment.image import Labels
from napari_segment.io.files import has_only, read_stored_labels

WHITE = 255
SENTENCE = (
    "All label files hold nothing but 0 and 255: they are taken as masks, with 255 as 1. If 255 "
    "means voxels without annotation, give ignore_index=255."
)


@dataclass(frozen=True)
class MaskValues:
    """The rule by which 0 and 255 become 0 and 1: for all label files of a data set, or for none.

    Parameters
    ----------
    paths : tuple of Path
        All label files of the data set.
    """

    paths: tuple[Path, ...]

    @classmethod
    def of(cls, sources: Iterable[object]) -> MaskValues:
        """Take the label files among the sources of some cases."""
        return cls(tuple(source for source in sources if isinstance(source, Path)))

    @cached_property
    def are_black_and_white(self) -> bool:
        """Whether all files hold nothing but 0 and 255, in eight bits; read when first asked."""
        return bool(self.paths) and all(map(_may_be_mask, self.paths))

    @property
    def is_applied(self) -> bool:
        """Whether the rule was asked for, and all files are masks."""
        return bool(self.__dict__.get("are_black_and_white"))

    def apply(self, labels: Labels, ignore_index: int | None) -> Labels:
        """Turn the labels of one file, as stored, into a mask where all files are masks.

        Parameters
        ----------
        labels : Labels
            Of a file that does not record what its numbers are.
        ignore_index : int, optional
            Where it is 255, the value means "without annotation" and is left.
        """
        if ignore_index == WHITE or not _is_binary(labels) or not self.are_black_and_white:
            return labels
        return labels.replace(data=(labels.data != 0).astype(np.uint8), holds="mask")


def _may_be_mask(path: Path) -> bool:
    """Whether a file may be a mask; one that cannot be read says nothing of the others."""
    try:
        labels, recorded = read_stored_labels(path, lazy=True)
        return labels.holds == "mask" if recorded else _is_binary(labels)
    except FormatError:
        return True


def _is_binary(labels: Labels) -> bool:
    return labels.dtype == np.uint8 and has_only(labels.data, (0, WHITE))
