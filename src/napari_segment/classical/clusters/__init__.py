"""Clusters of intensities, colours and features."""

from napari_segment.classical.clusters import kmeans as kmeans
