"""Cleanups: labels in, better labels out; background stays 0.

On a mask they act on its connected components, on classes on the components of each class, on
objects on the objects.
"""

from napari_segment.results.cleanup import components, dense_crf, holes, hull, morphology, split

__all__ = ["components", "dense_crf", "holes", "hull", "morphology", "split"]
