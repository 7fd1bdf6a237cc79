"""Voxel grids of nnU-Net: cropping, normalisation, resampling and tiles, read where needed."""
