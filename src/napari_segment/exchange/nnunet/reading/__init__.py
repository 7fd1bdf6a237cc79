"""What a results folder of nnU-Net holds: plans, labels and weights, read without running code."""
