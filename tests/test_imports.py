"""What importing parts of the project imports; the directions of imports are contracts in `pyproject.toml`."""

import subprocess
import sys
from pathlib import Path

import pytest

import components

ROOT = Path(__file__).resolve().parents[1]
FRAMEWORKS = ("tensorflow", "tfx", "keras", "apache_beam", "tensorflow_transform", "tensorflow_model_analysis")
SETTINGS = sorted(
    path.parent.relative_to(ROOT).as_posix().replace("/", ".") for path in ROOT.glob("components/*/settings.py")
)


def imported_by(statement):
    code = f"import sys; {statement}; print([name for name in {FRAMEWORKS} if name in sys.modules])"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    "module", ["components", "pipeline.cli.main", "pipeline.config.config", "pipeline.results.summary"]
)
def test_light_module_imports_no_framework(module):
    assert imported_by(f"import {module}") == "[]"


def test_settings_of_every_node_import_no_framework():
    assert len(SETTINGS) >= 7
    assert imported_by("; ".join(f"import {package}.settings" for package in SETTINGS)) == "[]"


def test_model_losses_and_metrics_are_for_keras_users_without_tfx_or_beam():
    modules = [
        *("components.model.caser", "components.model.notebook_caser", "components.model.windows"),
        *("components.trainer.fit", "components.trainer.optimizer", "components.ranking.evaluation"),
        *(f"components.trainer.losses.{name}" for name in ("losses", "loss_choice", "sampled_softmax")),
        *(f"components.ranking.{name}" for name in ("beyond_accuracy", "bootstrap", "metrics", "ranks", "totals")),
    ]
    assert imported_by("; ".join(f"import {module}" for module in modules)) == "['tensorflow', 'keras']"


@pytest.mark.parametrize(
    "name", ["CaserPusher", "CaserTrainer", "HistoryValidator", "InteractionExampleGen", "SequentialRules"]
)
def test_public_component_is_offered_by_its_package(name):
    assert getattr(components, name).__name__ == name


def test_unknown_name_in_components_is_an_import_error():
    with pytest.raises(ImportError, match="NoSuchComponent"):
        from components import NoSuchComponent  # noqa: F401


def test_kubeflow_folder_is_no_package():
    # The Kubeflow SDK owns that import name.
    assert not list((ROOT / "kubeflow").rglob("__init__.py"))
