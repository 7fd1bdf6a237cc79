"""Files of microscopes, read by the libraries that the field keeps (extra ``microscopes``)."""
