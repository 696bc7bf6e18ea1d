"""Benchmarks; `make bench` runs those of speed. They are not installed."""
