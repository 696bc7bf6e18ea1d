"""Transform: one user's history -> windows."""
