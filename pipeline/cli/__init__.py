"""The commands of `caser`, one per file; what they need beyond click is imported when they run."""
