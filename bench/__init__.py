"""Measurements, in one run and as ratios: ``make bench`` writes BENCHMARKS.md."""
