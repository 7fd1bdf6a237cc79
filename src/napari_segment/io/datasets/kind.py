"""How a layout says that a folder is not of its kind."""

from __future__ import annotations

from napari_segment.errors import FormatError


class OtherLayoutError(FormatError):
    """The folder is laid out in another way; the message says what was missed."""
