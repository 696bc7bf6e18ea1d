"""How the nodes are wired and run."""

from tfx_caser import check_packages

check_packages("components", "schemas")
