"""The napari widgets."""
