"""``export``: a trained network for other programs."""

from __future__ import annotations

import argparse

from napari_segment.errors import SettingError


def export(options: argparse.Namespace) -> int:
    """Write the network, and say where it is."""
    from napari_segment import api

    try:
        tile = tuple(int(part) for part in options.tile.split(",") if part)
    except ValueError:
        raise SettingError(f"Cannot read the tile {options.tile!r}: write 64,96,96.") from None
    path = api.export(
        options.checkpoint, options.output, tile=tile, format=options.format,
        author=options.author, licence=options.licence, maintainer=options.maintainer,
    )  # fmt: skip
    print(f"→ {path}")
    return 0
