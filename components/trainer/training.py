"""Trains a model on the windows of a Transform."""

from __future__ import annotations

from typing import Any, NamedTuple

import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs

from components.export.servable import ServableCaser
from components.export.settings import ExportSettings
from components.features import ITEM_VOCABULARY, USER_VOCABULARY
from components.items_gen.blocklist import recommendable
from components.memory import available_bytes
from components.model.caser import Caser
from components.model.settings import ModelSettings
from components.model.window_settings import WindowSettings
from components.ranking.evaluation import Users
from components.ranking.recommendable import Recommendable
from components.ranking.settings import RecommendSettings
from components.trainer.base_model import BaseModel
from components.trainer.executor import BLOCKLIST
from components.trainer.fit import fit
from components.trainer.hyperparameters import with_hyperparameters
from components.trainer.losses.loss_choice import resolve_loss
from components.trainer.plan import TrainingPlan, plan_for
from components.trainer.settings import TrainerSettings
from components.trainer.streamed_windows import StreamedWindows, read_windows
from components.trainer.validation import validator
from components.trainer.windows import TrainingWindows
from components.transform.vocabulary import Vocabulary


class Trained(NamedTuple):
    """A trained model, its training curve (see `components.trainer.fit.fit`), its plan, and what to know about it."""

    servable: ServableCaser
    history: list[dict[str, Any]]
    plan: TrainingPlan
    notes: list[str] = []

    def best(self, metric: str) -> float:
        """The best value of a metric of the valid split."""
        return max(row[metric] for row in self.history)


class Training(NamedTuple):
    """What a model is trained with: seed, settings, windows and vocabularies."""

    seed: int
    window_settings: WindowSettings
    model_settings: ModelSettings
    settings: TrainerSettings
    export: ExportSettings
    recommend: RecommendSettings
    recommendable: Recommendable
    windows: TrainingWindows
    items: Vocabulary
    users: Vocabulary

    @classmethod
    def read(cls, fn_args: FnArgs) -> Training:
        """Reads the settings, the windows and the vocabularies.

        Args:
            fn_args: see `components.trainer.run_fn`.
        """
        config = with_hyperparameters(fn_args.custom_config, fn_args.hyperparameters)
        recommend = RecommendSettings.model_validate(config["recommend"])
        settings = TrainerSettings.model_validate(config["trainer"]).resolved(recommend.exclude_seen)
        window_settings = WindowSettings.model_validate(config["windows"])
        transform = tft.TFTransformOutput(fn_args.transform_graph_path)
        max_memory_gb = settings.max_memory_gb or available_bytes() / 8e9
        items = Vocabulary.from_transform(transform, ITEM_VOCABULARY)
        return cls(
            config["seed"],
            window_settings,
            ModelSettings.model_validate(config["model"]),
            settings,
            ExportSettings.model_validate(config["export"]),
            recommend,
            recommendable(recommend, config.get(BLOCKLIST), items),
            read_windows(fn_args.train_files, transform.transformed_feature_spec(), window_settings, max_memory_gb),
            items,
            Vocabulary.from_transform(transform, USER_VOCABULARY),
        )

    def plan(self, short_histories: bool, held_out: float | None) -> TrainingPlan:
        """How to train from scratch.

        Args:
            short_histories: whether unset settings have the defaults for short histories.
            held_out: mean number of held-out items per user of the valid split; None without one.
        """
        return plan_for(self.settings, self.windows, self.items.size, short_histories, held_out)

    def train(self, plan: TrainingPlan, valid: Users | None = None, base: BaseModel | None = None) -> Trained:
        """Trains a new model.

        Args:
            plan: how it is trained.
            valid: users of the valid split, for metrics and early stopping; None: neither.
            base: the model whose weights training begins with; None: random weights.
        """
        settings = self.model_settings.resolved(plan.short_histories)
        if base:
            settings = base.hyperparameters(settings)
        model = Caser(self.users.size, self.items.size, self.window_settings.L, settings)
        if base:
            base.mix_weights(model, self.items, self.users)
        loss = resolve_loss(self.settings, self.items.size, len(self.windows)).loss
        servable = ServableCaser(model, self.items, self.users, self.export.k, loss, recommendable=self.recommendable)
        windows = self.windows.with_targets(1) if plan.one_target and self.window_settings.T is None else self.windows
        score = servable.scores_by_caser
        validate = validator(score, valid, self.items.size) if valid else None
        history = fit(model, windows, self.settings, self.seed, validate, plan)
        notes = [self.windows.note] if isinstance(self.windows, StreamedWindows) else []
        return Trained(servable, history, plan._replace(last_epoch=_best_epoch(history, self.settings.monitor)), notes)


def _best_epoch(history: list[dict[str, Any]], metric: str) -> int:
    """The epoch whose weights `fit` kept."""
    if metric not in history[0]:
        return len(history)
    return int(max(history, key=lambda row: row[metric])["epoch"])
