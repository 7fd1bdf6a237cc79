"""The registries, and the plug-ins that fill them: our own modules and third parties'."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from napari_segment.registry.registry import Registry

GROUP = "napari_segment"

_broken: dict[str, str] = {}
_loaded = False
_loading = threading.RLock()


def load_plugins() -> None:
    """Import the modules that declare entries, once: our own, then third parties'.

    A module that cannot be imported is listed by `broken_plugins`, leaves no entries behind, and
    harms nobody else.
    """
    global _loaded
    with _loading:  # other threads wait; modules that ask while they are loaded do not
        if _loaded:
            return
        _loaded = True
        try:
            _load_all()
        except BaseException:
            _loaded = False  # half the entries are not all
            raise


def _load_all() -> None:
    from importlib.metadata import entry_points

    points = sorted(
        entry_points(group=GROUP), key=lambda p: (not _is_ours(p.value), p.name, p.value)
    )
    for point in points:
        _load(f"{point.name} = {point.value}", point.value)


def broken_plugins() -> dict[str, str]:
    """What could not be imported, and why: entry point to error message."""
    load_plugins()
    return dict(_broken)


def _is_ours(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] == "napari_segment"


def _load(label: str, module: str) -> None:
    before = {kind: r.snapshot() for kind, r in REGISTRIES.items()}
    try:
        import_module(module)
    except Exception as error:  # whatever a stranger's module raises must stay with it
        if _is_ours(module):
            raise
        _broken[label] = f"{type(error).__name__}: {error}"
        for kind, registry in REGISTRIES.items():
            registry.restore(before[kind])


filters = Registry("filters", "filter", load_plugins)
methods = Registry("methods", "method", load_plugins)
cleanups = Registry("cleanups", "cleanup", load_plugins)
edits = Registry("edits", "edit", load_plugins)
models = Registry("models", "model", load_plugins)
losses = Registry("losses", "loss", load_plugins)
layouts = Registry("layouts", "layout", load_plugins)
logs = Registry("logs", "log", load_plugins)

REGISTRIES: Mapping[str, Registry] = MappingProxyType(
    {r.kind: r for r in (filters, methods, cleanups, edits, models, losses, layouts, logs)}
)
