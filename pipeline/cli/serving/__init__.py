"""The commands that manage versions on running servers."""
