"""Targets: what a network is asked for, made from labels; and labels made from what it says.

``classes``
    One output a class, with the background; softmax. A *mask* is one output with a sigmoid.
``objects``
    Outputs with a sigmoid each: the foreground, and what tells touching objects apart
    (`napari_segment.deep.planning.label_semantics.Objects.target`):

    - *distance* to the object's edge, 1 at its middle, in parts of the object's own depth;
    - *border* between one object and what is not that object;
    - *seeds*, the inner part of each object;
    - *flow*, one output an axis: the way to the object's middle.
"""

from napari_segment.deep.data.targets.decode import decode, decode_planes
from napari_segment.deep.data.targets.maps import (
    UNKNOWN,
    Task,
    borders,
    class_indices,
    not_annotated,
    object_maps,
    relative_depth,
)

__all__ = [
    "UNKNOWN",
    "Task",
    "borders",
    "class_indices",
    "decode",
    "decode_planes",
    "not_annotated",
    "object_maps",
    "relative_depth",
]
