"""Networks of checkpoints: loaded, combined, run by PyTorch or ONNX Runtime, here or on Dask."""
