"""TFX components of a Caser pipeline, one folder per node.

The public components are imported lazily, so that importing one settings module does not import TensorFlow:

    from components import CaserTrainer, InteractionExampleGen
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from components.baseline_validator.component import BaselineValidator as BaselineValidator
    from components.batch_recommender.component import BatchRecommender as BatchRecommender
    from components.drift_validator.component import DriftValidator as DriftValidator
    from components.evaluator.config import eval_config as eval_config
    from components.example_gen.component import InteractionExampleGen as InteractionExampleGen
    from components.example_validator.component import HistoryValidator as HistoryValidator
    from components.neighbours.component import Neighbours as Neighbours
    from components.pusher.component import CaserPusher as CaserPusher
    from components.refit_trainer.component import RefitTrainer as RefitTrainer
    from components.refit_validator.component import RefitValidator as RefitValidator
    from components.sequential_rules.component import SequentialRules as SequentialRules
    from components.trainer.component import CaserTrainer as CaserTrainer
    from components.transform.component import HistoryTransform as HistoryTransform
    from components.transform.preprocessing import preprocessing_fn as preprocessing_fn

_MODULES = {
    "InteractionExampleGen": "components.example_gen.component",
    "HistoryValidator": "components.example_validator.component",
    "HistoryTransform": "components.transform.component",
    "preprocessing_fn": "components.transform.preprocessing",
    "SequentialRules": "components.sequential_rules.component",
    "CaserTrainer": "components.trainer.component",
    "eval_config": "components.evaluator.config",
    "Neighbours": "components.neighbours.component",
    "BaselineValidator": "components.baseline_validator.component",
    "DriftValidator": "components.drift_validator.component",
    "RefitTrainer": "components.refit_trainer.component",
    "RefitValidator": "components.refit_validator.component",
    "BatchRecommender": "components.batch_recommender.component",
    "CaserPusher": "components.pusher.component",
}


def __getattr__(name: str) -> Any:
    """Imports a public component on first use (PEP 562)."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
