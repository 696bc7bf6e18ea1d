"""Tries new inputs for some minutes: `make fuzz MINUTES=60`, or `python -m tests.fuzz --minutes 60`.

Ends with status 1 at the first finding, and prints its smallest input.
"""

import argparse
import functools
import importlib
import os
import re
import resource
import sys
import time
from pathlib import Path

_EXAMPLES_PER_ROUND = "300"
_MORE_BYTES = 2 << 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    end = time.monotonic() + 60 * parser.parse_args().minutes
    # Read by `tests.fuzz.budget` when the tests are imported.
    os.environ["FUZZ_EXAMPLES"] = _EXAMPLES_PER_ROUND
    tests = {}
    for file in sorted(Path(__file__).parent.glob("test_*.py")):
        module = importlib.import_module(f"tests.fuzz.{file.stem}")
        tests |= {f"{file.stem}::{name}": test for name, test in vars(module).items() if hasattr(test, "hypothesis")}
    tried = dict.fromkeys(tests, 0)
    for name, test in tests.items():
        test.hypothesis.inner_test = _counted(name, test.hypothesis.inner_test, tried)
    _limit_memory()
    while time.monotonic() < end:
        for test in tests.values():
            if time.monotonic() < end:
                test()
        left = max(end - time.monotonic(), 0) / 60
        print(f"{sum(tried.values()):,} inputs, no finding, {left:.0f} min left", flush=True)
    for name, count in tried.items():
        print(f"{count:>10,}  {name}")
    print(f"{sum(tried.values()):>10,}  inputs in all, no finding")
    return 0


def _limit_memory():
    """No small input needs this much more memory; what asks for it fails, and is shown."""
    size = int(re.search(r"VmSize:\s+(\d+) kB", Path("/proc/self/status").read_text())[1]) << 10
    resource.setrlimit(resource.RLIMIT_AS, (size + _MORE_BYTES, size + _MORE_BYTES))


def _counted(name, test, tried):
    @functools.wraps(test)
    def counting(*arguments, **options):
        tried[name] += 1
        return test(*arguments, **options)

    return counting


if __name__ == "__main__":
    sys.exit(main())
