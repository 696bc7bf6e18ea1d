"""The commands of `caser`, one per file; they import everything but click when they run."""
