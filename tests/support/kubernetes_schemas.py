"""Validates manifests by Kubernetes' schemas, offline.

The package is in an environment of its own (`make test` installs it): beside TFX, every process would import it.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest


def _package() -> Any:
    """The package; tests of manifests are skipped without it."""
    folders = list(Path(f"{sys.prefix}-manifests").glob("lib/python3.*/site-packages"))
    if not folders:
        pytest.skip(f"{sys.prefix}-manifests is missing; `make test` installs it", allow_module_level=True)
    # Behind this environment, whose packages take precedence.
    sys.path.append(str(folders[0]))
    try:
        return importlib.import_module("kubernetes_validate")
    finally:
        sys.path.remove(str(folders[0]))


_validate = _package()
ValidationError = _validate.ValidationError


def validate(manifest: Any, version: str) -> None:
    """Validates a manifest strictly: unknown fields are errors.

    Args:
        manifest: one object.
        version: of Kubernetes, such as "1.30".

    Raises:
        ValidationError: it is not valid.
    """
    _validate.validate(manifest, version, strict=True)
