"""Everything a user can run, described by its own signature.

An entry is a plain function. Its positional parameters are data, its keyword-only parameters are
settings; the form, the command-line options, the validation, the JSON schema and the reference
page are derived from the signature and the numpydoc docstring.

>>> from napari_segment.registry import methods
>>> methods["otsu"].gives
'mask'
"""

from napari_segment.registry.entry import FROM_IMAGE, Entry
from napari_segment.registry.plugins import (
    GROUP,
    REGISTRIES,
    broken_plugins,
    cleanups,
    edits,
    filters,
    layouts,
    load_plugins,
    logs,
    losses,
    methods,
    models,
)
from napari_segment.registry.registry import Registry
from napari_segment.registry.result import Regridded, Result
from napari_segment.registry.settings import RESERVED, Of, alternatives, picks_from

__all__ = [
    "FROM_IMAGE",
    "GROUP",
    "REGISTRIES",
    "RESERVED",
    "Entry",
    "Of",
    "Registry",
    "Regridded",
    "Result",
    "alternatives",
    "broken_plugins",
    "cleanups",
    "edits",
    "filters",
    "layouts",
    "load_plugins",
    "logs",
    "losses",
    "methods",
    "models",
    "picks_from",
]
