"""Edits: corrections by hand, each a named operation with settings that can be undone and replayed.

An edit reads the boxes of the objects that it concerns and returns patches; nothing else of the
labels is touched, so its time and what is stored to undo it depend on the objects, not on the
volume.
"""

from napari_segment.results.edits import drawing, objects, outlines, parting, planes

__all__ = ["drawing", "objects", "outlines", "parting", "planes"]
