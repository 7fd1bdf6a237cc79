"""Segment 2-D and 3-D stacks: one core for napari, Python and the command line."""

import lazy_loader as _lazy

from napari_segment._kernel_cache import find_cache as _find_cache

_find_cache()  # before the first kernel is imported
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
