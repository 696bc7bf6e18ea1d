"""Pusher: a blessed model -> a new version."""
