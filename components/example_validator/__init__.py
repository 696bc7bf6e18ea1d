"""ExampleValidator that fails on an anomaly."""
