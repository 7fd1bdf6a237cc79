"""The properties that can be measured, each in a few lines."""

from __future__ import annotations

import numpy as np

from napari_segment.results.measure import details
from napari_segment.results.measure.property import Array, add
from napari_segment.results.measure.sums import Sums

# ---- basic ----


def _voxels(sums: Sums) -> Array:
    return np.asarray(sums.moments()["add"][:, 0])


def _axes(sums: Sums, array: Array) -> Array:
    """Return the columns of the axes that there are."""
    return array[:, 3 - sums.ndim :]


@add("basic", "size", names=("area", "volume"))
def size(sums: Sums) -> Array:
    """Area or volume: the number of voxels times their size."""
    return np.asarray(_voxels(sums) * np.prod(sums.spacing))


def _centers(sums: Sums) -> Array:
    """Centres of mass in voxels, (N, D)."""
    return _axes(sums, sums.moments()["add"][:, 1:4] / _voxels(sums)[:, None])


@add("basic", "length", parts=("axis",))
def centroid(sums: Sums) -> Array:
    """Centre of mass, from the centre of the first voxel."""
    return _centers(sums) * sums.spacing


@add("basic", "length", parts=("axis",))
def centroid_world(sums: Sums) -> Array:
    """Centre of mass in the world of the labels' affine."""
    return _centers(sums) @ sums.world[:-1, :-1].T + sums.world[:-1, -1]


@add("basic", "voxel", parts=("axis_start", "axis_stop"))
def bbox(sums: Sums) -> Array:
    """Bounding box: first index, and one past the last."""
    moments = sums.moments()
    low, high = _axes(sums, moments["low"]), _axes(sums, moments["high"]) + 1
    return np.stack([low, high], axis=2).reshape(len(low), 2 * sums.ndim)


@add("shape", "length", parts=("axis_start", "axis_stop"))
def bbox_world(sums: Sums) -> Array:
    """Ends of the bounding box, voxels included, along the axes of the world."""
    moments = sums.moments()
    low, high = _axes(sums, moments["low"]) - 0.5, _axes(sums, moments["high"]) + 0.5
    linear, shift = sums.world[:-1, :-1], sums.world[:-1, -1]
    center = (low + high) / 2 @ linear.T + shift
    half = (high - low) / 2 @ np.abs(linear).T
    return np.stack([center - half, center + half], axis=2).reshape(len(low), 2 * sums.ndim)


@add("basic", "length")
def equivalent_diameter(sums: Sums) -> Array:
    """Diameter of the disc or ball of the same size."""
    return np.asarray(2 * _equivalent_radius(sums))


def _equivalent_radius(sums: Sums) -> Array:
    if sums.ndim == 2:
        return np.sqrt(size(sums) / np.pi)
    return np.cbrt(size(sums) * 3 / (4 * np.pi))


@add("basic", "intensity", image=True)
def mean_intensity(sums: Sums) -> Array:
    """Mean."""
    return np.asarray(sums.intensities()["add"][:, 0] / _voxels(sums))


@add("basic", "intensity", image=True)
def min_intensity(sums: Sums) -> Array:
    """Smallest value."""
    return sums.intensities()["low"][:, 0]


@add("basic", "intensity", image=True)
def max_intensity(sums: Sums) -> Array:
    """Largest value."""
    return sums.intensities()["high"][:, 0]


# ---- shape ----


@add("shape", "voxel")
def voxels(sums: Sums) -> Array:
    """Number of voxels."""
    return _voxels(sums)


@add("shape")
def extent(sums: Sums) -> Array:
    """Share of the bounding box that is filled."""
    moments = sums.moments()
    return np.asarray(_voxels(sums) / np.prod(moments["high"] - moments["low"] + 1, axis=1))


@add("shape", "surface", names=("perimeter", "surface_area"))
def surface(sums: Sums) -> Array:
    """Perimeter or surface area (Crofton's formula), including that of holes."""
    return sums.windows()[:, 1]


@add("shape", names=("circularity", "sphericity"))
def roundness(sums: Sums) -> Array:
    """Surface of the disc or ball of the same size over the surface: 1 for a ball."""
    radius = _equivalent_radius(sums)
    ball = 2 * np.pi * radius if sums.ndim == 2 else 4 * np.pi * radius**2
    ratio = ball / surface(sums)
    return np.asarray(ratio**2 if sums.ndim == 2 else ratio)


@add("shape")
def euler_number(sums: Sums) -> Array:
    """Parts − holes (2-D); parts − tunnels + cavities (3-D); corners connect."""
    return np.rint(sums.windows()[:, 0]).astype(np.int64)


def _covariance(sums: Sums) -> Array:
    """Return the covariance of the voxel centres in physical units, (N, D, D)."""
    moments = sums.moments()["add"].astype(np.float64)
    n = moments[:, 0, None, None]
    mean = moments[:, 1:4, None] / n
    square = moments[:, [[4, 7, 8], [7, 5, 9], [8, 9, 6]]] / n
    covariance = (square - mean * mean.transpose(0, 2, 1))[:, 3 - sums.ndim :, 3 - sums.ndim :]
    return np.asarray(covariance * np.outer(sums.spacing, sums.spacing))


def _axis_lengths(sums: Sums) -> Array:
    """Return the full axes of the ellipsoid with the same second moments, the longest first."""
    variances = np.linalg.eigvalsh(_covariance(sums))[:, ::-1].clip(0)
    return np.asarray(np.sqrt(variances * (16 if sums.ndim == 2 else 20)))


@add("shape", "length")
def major_axis_length(sums: Sums) -> Array:
    """Longest axis of the ellipse or ellipsoid with the same second moments."""
    return _axis_lengths(sums)[:, 0]


@add("shape", "length")
def middle_axis_length(sums: Sums) -> Array:
    """Middle axis of that ellipsoid; of an ellipse the shorter one."""
    return _axis_lengths(sums)[:, 1]


@add("shape", "length")
def minor_axis_length(sums: Sums) -> Array:
    """Shortest axis."""
    return _axis_lengths(sums)[:, -1]


@add("shape")
def elongation(sums: Sums) -> Array:
    """Middle over longest axis: 1 for a disc or ball, 0 for a line."""
    lengths = _axis_lengths(sums)
    return _ratio(lengths[:, 1], lengths[:, 0])


@add("shape")
def flatness(sums: Sums) -> Array:
    """Shortest over middle axis: 0 for a sheet; in 2-D always 1."""
    lengths = _axis_lengths(sums)
    return _ratio(lengths[:, -1], lengths[:, 1])


@add("shape")
def eccentricity(sums: Sums) -> Array:
    """Of the ellipse of the longest and shortest axis: 0 for a circle, 1 for a line."""
    lengths = _axis_lengths(sums)
    return np.asarray(np.sqrt(1 - _ratio(lengths[:, -1], lengths[:, 0]) ** 2))


def _ratio(a: Array, b: Array) -> Array:
    """Return a / b; 1 where both are 0, as for a single voxel."""
    return np.divide(a, b, out=np.ones_like(b), where=b != 0)


@add("shape", parts=("axis",))
def orientation(sums: Sums) -> Array:
    """Unit vector of the longest axis, in the order of the axes; the last component ≥ 0."""
    vectors = np.linalg.eigh(_covariance(sums))[1][:, :, -1]
    sign = np.where(vectors[:, -1:] < 0, -1, 1)
    return np.asarray(vectors * sign)


@add("shape", "degree")
def angle(sums: Sums) -> Array:
    """Of the longest axis against X in the YX plane, from −90 to 90; Y points down."""
    vectors = orientation(sums)
    return np.degrees(np.arctan2(vectors[:, -2], vectors[:, -1]))


@add("shape")
def touches_border(sums: Sums) -> Array:
    """Whether the image cuts it."""
    moments = sums.moments()
    low, high = _axes(sums, moments["low"]), _axes(sums, moments["high"])
    return np.asarray(((low == 0) | (high == np.array(sums.labels.shape) - 1)).any(1))


# ---- intensity ----


@add("intensity", "intensity", image=True)
def sum_intensity(sums: Sums) -> Array:
    """Sum over the voxels."""
    return sums.intensities()["add"][:, 0]


def _deviation(sums: Sums) -> Array:
    return np.asarray(np.sqrt(sums.central()[:, 0] / _voxels(sums)))


@add("intensity", "intensity", image=True)
def std_intensity(sums: Sums) -> Array:
    """Standard deviation over the voxels (of the population)."""
    return _deviation(sums)


@add("intensity", image=True)
def skewness_intensity(sums: Sums) -> Array:
    """Third standardised moment; 0 where all voxels are equal."""
    return _standardised(sums, 3)


@add("intensity", image=True)
def kurtosis_intensity(sums: Sums) -> Array:
    """Fourth standardised moment − 3; 0 where all voxels are equal."""
    return np.asarray(_standardised(sums, 4) - 3 * (_deviation(sums) > 0))


def _standardised(sums: Sums, power: int) -> Array:
    moment = sums.central()[:, power - 2] / _voxels(sums)
    scale = _deviation(sums) ** power
    return np.asarray(np.divide(moment, scale, out=np.zeros_like(scale), where=scale != 0))


@add("intensity", "length", parts=("axis",), image=True)
def weighted_centroid(sums: Sums) -> Array:
    """Centre of mass weighted by intensity."""
    totals = _axes(sums, sums.central()[:, 3:6])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(totals / sums.intensities()["add"] * sums.spacing)


@add("intensity", "length", image=True)
def mass_displacement(sums: Sums) -> Array:
    """Distance between the centroid and the weighted centroid."""
    return np.asarray(np.linalg.norm(weighted_centroid(sums) - centroid(sums), axis=1))


# ---- texture: the grey-level co-occurrence of neighbours, 64 levels between the smallest and the
# largest intensity of all labels, all 4 (13) directions together; Haralick et al. (1973),
# doi:10.1109/TSMC.1973.4309314 ----


def _per_pair(sums: Sums, column: int) -> Array:
    textures = sums.textures()
    mean = np.divide(
        textures[:, column], textures[:, 0], out=np.zeros(len(textures)), where=textures[:, 0] > 0
    )
    return np.where(np.isfinite(sums.intensities()["add"][:, 0]), mean, np.nan)


@add("texture", image=True)
def texture_contrast(sums: Sums) -> Array:
    """Mean squared difference of neighbours' grey levels."""
    return _per_pair(sums, 2)


@add("texture", image=True)
def texture_dissimilarity(sums: Sums) -> Array:
    """Mean absolute difference of neighbours' grey levels."""
    return _per_pair(sums, 1)


@add("texture", image=True)
def texture_homogeneity(sums: Sums) -> Array:
    """Mean of 1 / (1 + squared difference)."""
    return _per_pair(sums, 3)


@add("texture", image=True)
def texture_correlation(sums: Sums) -> Array:
    """Correlation of neighbours' grey levels; 1 where all are equal."""
    mean = _per_pair(sums, 4) / 2
    variance = _per_pair(sums, 5) / 2 - mean**2
    product = (_per_pair(sums, 5) - _per_pair(sums, 2)) / 2 - mean**2
    return _ratio(product, variance)


# ---- detail: object by object ----


@add("detail", "size", names=("convex_area", "convex_volume"))
def convex_size(sums: Sums) -> Array:
    """Area or volume of the convex hull of the voxels."""
    return _columns(sums.each(details.hull), 2)[:, 0]


@add("detail")
def solidity(sums: Sums) -> Array:
    """Size over that of the convex hull: 1 for a convex object."""
    return np.asarray(size(sums) / convex_size(sums))


@add("detail", "length")
def feret_diameter(sums: Sums) -> Array:
    """Largest distance between two points of the object."""
    return _columns(sums.each(details.hull), 2)[:, 1]


@add("detail", "length")
def inscribed_radius(sums: Sums) -> Array:
    """Radius of the largest disc or ball inside."""
    return sums.each(details.inscribed_radius)


@add("detail", "surface", names=("contour_length", "mesh_area"))
def mesh_surface(sums: Sums) -> Array:
    """Length of the contour, or area of a triangle mesh, around the smoothed object."""
    return sums.each(details.mesh_surface)


@add("detail", "intensity", parts=("q25", "q50", "q75"), image=True)
def quantile_intensity(sums: Sums) -> Array:
    """Quartiles; q50 is the median."""
    return _columns(sums.each_values(details.quantiles), len(details.QUANTILES))


def _columns(array: Array, count: int) -> Array:
    """Return an empty table where no objects, and so no rows, give the number of columns."""
    return array.reshape(-1, count)
