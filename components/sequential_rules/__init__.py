"""The sequential-rules baseline."""
