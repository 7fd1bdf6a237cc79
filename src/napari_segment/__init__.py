"""Segment 2-D and 3-D stacks: one core for napari, Python and the command line."""

from napari_segment._safe_path import leave_out_current_folder as _leave_out_current_folder

_leave_out_current_folder()  # before anything else is looked for

import lazy_loader as _lazy  # noqa: E402

from napari_segment._kernel_cache import find_cache as _find_cache  # noqa: E402

_find_cache()  # before the first kernel is imported
__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
