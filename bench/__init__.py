"""Benchmarks, compared within one run as ratios: ``make bench`` writes BENCHMARKS.md."""
