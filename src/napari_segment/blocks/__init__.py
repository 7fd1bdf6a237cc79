"""The same call on blocks: an entry written with these functions runs on any array.

`reduce` gathers a statistic of the whole array; `map_blocks` computes a result in which each
voxel depends on its neighbourhood (and on such statistics). On a NumPy array both act at once;
on a Dask array `reduce` reads the blocks once, keeping only the small partial results, and
`map_blocks` returns another lazy Dask array. Entries need no second version of themselves::

    def above_mean(image):
        total, count = reduce(image, lambda b: (b.sum(dtype=float), b.size), add_pairs)
        return map_blocks(partial(np.greater, ...), image, dtype=bool)

Labels have functions of their own: `label` finds connected components and joins them across block
faces, `connected_to` keeps those that hold a seed; `counts`, `overlaps` and `contacts` are tables
of all labels, and `replace_labels` maps labels through such a table. `boxes` finds where each label
lies; work on whole labels is done by `regions`, each of which holds labels that lie in the same
blocks.

A Dask array runs on the scheduler that Dask would take: threads, or the active
``dask.distributed`` client. `computed` is what passes over lazy arrays compute with.
"""

from napari_segment.blocks.boxes import assemble as assemble
from napari_segment.blocks.boxes import boxes as boxes
from napari_segment.blocks.boxes import map_regions as map_regions
from napari_segment.blocks.boxes import regions as regions
from napari_segment.blocks.components import Runs as Runs
from napari_segment.blocks.components import connected_to as connected_to
from napari_segment.blocks.components import label as label
from napari_segment.blocks.components import runs as runs
from napari_segment.blocks.maps import Location as Location
from napari_segment.blocks.maps import as_volume as as_volume
from napari_segment.blocks.maps import is_lazy as is_lazy
from napari_segment.blocks.maps import map_blocks as map_blocks
from napari_segment.blocks.maps import plain as plain
from napari_segment.blocks.maps import reduce as reduce
from napari_segment.blocks.maps import reduce_blocks as reduce_blocks
from napari_segment.blocks.maps import unify_chunks as unify_chunks
from napari_segment.blocks.passes import computed as computed
from napari_segment.blocks.tables import at_border as at_border
from napari_segment.blocks.tables import contacts as contacts
from napari_segment.blocks.tables import counts as counts
from napari_segment.blocks.tables import first_voxels as first_voxels
from napari_segment.blocks.tables import overlaps as overlaps
from napari_segment.blocks.tables import replace_labels as replace_labels
