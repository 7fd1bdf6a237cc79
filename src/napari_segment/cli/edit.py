"""``edit`` and ``review``: labels are corrected by edits; what to look at first."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.api.batch.paths import protect, table_path, targets_of
from napari_segment.cli.messages import counted
from napari_segment.cli.settings import chosen
from napari_segment.errors import SettingError

if TYPE_CHECKING:
    from napari_segment.image import Labels


def edit(options: argparse.Namespace) -> int:
    """Edit a file of labels and write the result."""
    from napari_segment import api

    if not options.edit and not options.journal:
        raise SettingError(
            "Say which edit (see 'napari-segment list edits'), or give the --journal whose edits "
            "are made."
        )
    read = [options.labels, *filter(None, [options.image, options.journal])]
    target = targets_of({Path(options.labels): Path()}, options.output)[0]
    protect(read, [target])
    labels = _result(options)
    path = api.write(labels, target)
    count = len(labels.recipe.edits) if labels.recipe else 0
    if options.json:
        print(json.dumps({"output": str(path), "edits_in_recipe": count, "holds": labels.holds}))
    else:
        known = f", {counted(count, 'edit')} in the recipe" if count else ""
        print(f"{options.labels} → {path} ({labels.holds}{known})")
    return 0


def review(options: argparse.Namespace) -> int:
    """Write a table of objects, the most doubtful first."""
    from napari_segment import api

    target = table_path(options.output, [options.labels])
    table = api.review(options.labels, axes=options.axes.upper())
    api.write(table, target)
    if options.json:
        print(table.to_json(orient="records"))
        return 0
    doubtful = int((table["reasons"] != "").sum())
    print(f"{options.labels} → {target} ({counted(len(table), 'object')}, {doubtful} with reasons)")
    return 0


def _result(options: argparse.Namespace) -> Labels:
    from napari_segment import api
    from napari_segment.api.editing.verbs import edit as edit_once

    common = {"axes": options.axes.upper(), "channel": _channel(options.channel)}
    common |= {"image": options.image or None}
    if not options.edit:
        if options.at:
            raise SettingError("--at belongs to an edit; those of a journal say theirs.")
        return api.replay_edits(options.labels, options.journal, **common)
    settings, at = _settings(options), positions_of(options.at)
    if not options.journal:
        return edit_once(options.labels, options.edit, at=at, **common, **settings)
    with api.edit_session(options.labels, options.journal, **common) as session:
        session.edit(options.edit, at=at, **settings)
        return api.session_labels(session, options.labels, axes=common["axes"])


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    from napari_segment.registry import edits

    return chosen(options, edits[options.edit])


def _channel(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def positions_of(text: str) -> dict[str, int]:
    """Read positions along axes.

    Examples
    --------
    >>> positions_of("T=3,z=5")
    {'T': 3, 'Z': 5}
    """
    positions = {}
    for part in filter(None, text.split(",")):
        axis, _, position = part.partition("=")
        if len(axis.strip()) != 1 or not position.strip().isdecimal():
            raise SettingError(f"Cannot read the position {part!r}: write such as --at T=3,Z=5.")
        positions[axis.strip().upper()] = int(position)
    return positions
