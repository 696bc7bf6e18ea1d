"""How the nodes are wired and run."""
