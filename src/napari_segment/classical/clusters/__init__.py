"""Clusters of intensities, colours and features."""

from napari_segment.classical.clusters import kmeans as kmeans
from napari_segment.classical.clusters import kmeans_image as kmeans_image
from napari_segment.classical.clusters import mixture as mixture
