"""Jobs: long work in the worker process, and the pixels it is given."""
