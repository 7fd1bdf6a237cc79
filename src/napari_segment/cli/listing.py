"""``list``: names, titles and help of what there is; settings as JSON schema."""

from __future__ import annotations

import argparse
import json
from typing import Any

from napari_segment.cli.messages import plain
from napari_segment.registry import REGISTRIES, Entry, broken_plugins


def show(options: argparse.Namespace) -> int:
    """Print the entries of one kind, or of all."""
    kinds = [options.kind] if options.kind else [*REGISTRIES, "devices"]
    listed = {kind: _devices() if kind == "devices" else _entries(kind) for kind in kinds}
    if options.json:
        print(json.dumps(listed[options.kind] if options.kind else listed, indent=2))
        return 0
    for kind, rows in listed.items():
        print(kind)
        width = max((len(row["name"]) for row in rows), default=0)
        for row in rows:
            whole = " In memory only." if row.get("whole") else ""
            print(f"  {row['name']:<{width}}  {row['title']}. {plain(row['help'])}{whole}".rstrip())
    for point, reason in broken_plugins().items():
        print(f"broken plug-in {point}: {reason}")
    return 0


def _entries(kind: str) -> list[dict[str, Any]]:
    return [_row(entry) for entry in REGISTRIES[kind].values()]


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "title": entry.title,
        "help": entry.help,
        "group": entry.group,
        "gives": entry.gives,
        "ndim": list(entry.ndim),
        "channels": entry.channels,
        "blocks": not entry.whole,
        "whole": entry.whole,
        "source": entry.source,
        "settings": entry.schema(),
    }


def _devices() -> list[dict[str, Any]]:
    from napari_segment.api import devices

    return [
        {
            "name": device.name,
            "title": device.title,
            "help": f"{device.memory / 2**30:.1f} GiB of memory." if device.memory else "",
            "memory": device.memory,
        }
        for device in devices()
    ]
