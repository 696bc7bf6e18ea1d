"""Scripts that measure; `make bench` runs them. No test imports them, and they are not installed."""
