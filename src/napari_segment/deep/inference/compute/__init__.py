"""Tiles through a network: forward passes, accumulation and devices (torch)."""
