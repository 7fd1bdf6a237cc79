"""Write the record of a training: its folder, logs and the list of runs."""
