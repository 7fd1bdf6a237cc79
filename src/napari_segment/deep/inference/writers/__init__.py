"""Writers of finished slabs: into memory, or into zarr arrays that a killed run continues."""
