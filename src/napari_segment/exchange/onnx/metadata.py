"""Metadata of an ONNX file, read without loading it."""

from __future__ import annotations

from pathlib import Path

from napari_segment.errors import FormatError
from napari_segment.exchange.onnx.external_data import mapped, messages

_PROPERTIES = 14  # metadata_props of ModelProto in onnx.proto


def metadata_of(path: Path) -> dict[str, str]:
    """Return the metadata of an ONNX file.

    Raises
    ------
    FormatError
        If it is no ONNX file.
    """
    try:
        with mapped(path) as view:
            entries = [
                {n: bytes(c).decode() for n, c in messages(content)}
                for number, content in messages(view)
                if number == _PROPERTIES
            ]
    except (OSError, ValueError, IndexError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} cannot be read as ONNX: {error}") from None
    return {entry.get(1, ""): entry.get(2, "") for entry in entries}
