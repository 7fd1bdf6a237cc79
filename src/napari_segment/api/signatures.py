"""The verbs whose settings are those of entries; `signatures.pyi`, which is generated, lists them.

`scripts/make_signatures.py` writes the stub from the registry: an overload of `segment` for each
built-in method and of `edit` for each edit, and the settings of `train` and `cross_validate`.
"""

from napari_segment.api.editing.verbs import edit
from napari_segment.api.verbs import segment
from napari_segment.deep.training import train
from napari_segment.deep.training.folds import cross_validate

__all__ = ["cross_validate", "edit", "segment", "train"]
