"""Optimisers, schedules, and what keeps their numbers right."""
