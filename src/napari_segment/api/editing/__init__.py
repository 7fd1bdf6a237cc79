"""Corrections by hand: verbs that edit labels, and sessions that write each edit to a journal."""
