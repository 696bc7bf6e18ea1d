"""How many inputs are tried: a few that stay the same in `make test`, ever new ones in `make fuzz`."""

import os

from hypothesis import HealthCheck, settings

budget = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "16")),
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
