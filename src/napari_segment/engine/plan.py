"""The plan of one entry on one stack: over which axes it is called, and with what."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

from napari_segment.engine.axes import announcement, check_memory, leading_axes
from napari_segment.engine.split import bind, call_parts
from napari_segment.image import Stack
from napari_segment.recipe import ApplyTo, Spec
from napari_segment.registry import Entry, Registry
from napari_segment.step import Step


@dataclass(frozen=True)
class Plan:
    """One entry with its settings, and the axes over which it is called again and again.

    Parameters
    ----------
    entry : Entry
        What is called.
    settings : dict of str to object
        All of them, checked.
    lead : str
        The axes over which it is called; each call sees the others.
    message : str
        What is said before it begins.
    """

    entry: Entry
    settings: dict[str, Any]
    lead: str
    message: str

    @classmethod
    def of(cls, spec: Spec, registry: Registry, stack: Stack, apply_to: ApplyTo) -> Plan:
        """Plan the entry of a Spec on a stack; refuse what the entry cannot take."""
        entry = registry[spec.name]
        check_memory(entry, stack)
        settings = entry.validate(spec.settings)
        lead = leading_axes(entry, stack, apply_to)
        return cls(entry, settings, lead, announcement(entry, stack, apply_to))

    def run(
        self, stacks: Mapping[str, Stack], fixed: Mapping[str, Any]
    ) -> Generator[Step, None, list[Any]]:
        """Call the entry on each part of the stacks, with further data that all calls share."""
        title = self.entry.title
        return call_parts(self.lead, stacks, bind(self.entry, self.settings, fixed), title)
