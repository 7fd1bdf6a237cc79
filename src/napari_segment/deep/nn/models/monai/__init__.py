"""Networks of MONAI, for 2-D and 3-D unless they say otherwise.

Left out are those that solve another problem or cannot take any size: SegResNetVAE (fixed size),
HoVerNet (targets of its own), VISTA3D (prompts), DiNTS (a search space).
"""

from __future__ import annotations

from napari_segment.deep.nn.models.monai import residual as residual
from napari_segment.deep.nn.models.monai import transformers as transformers
from napari_segment.deep.nn.models.monai import unets as unets
