"""The configuration: YAML, presets and the command line."""
