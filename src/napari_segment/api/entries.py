"""Verbs whose settings are read from their signatures, as those of entries are."""

from __future__ import annotations

from napari_segment.api.linking import consensus, slices_to_label_next
from napari_segment.api.verbs import track
from napari_segment.errors import UnknownNameError
from napari_segment.registry import Entry

VERBS = {
    "track": Entry("verbs", "track", "Track objects through time", track),
    "consensus": Entry("verbs", "consensus", "Consensus of segmentations", consensus),
    "rank": Entry("verbs", "rank", "Planes to label next", slices_to_label_next),
}


def verb(name: str) -> Entry:
    """A verb that takes labels or a map, with its settings and their help.

    Parameters
    ----------
    name : {"track", "consensus", "rank"}
        As on the command line.

    Returns
    -------
    Entry
        Calling it checks the settings.
    """
    if name not in VERBS:
        raise UnknownNameError("verb", name, VERBS)
    return VERBS[name]
