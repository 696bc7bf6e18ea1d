"""Writes a run into MLflow."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from components.errors import UserError
from components.mlflow_tracker.settings import MlflowSettings

if TYPE_CHECKING:
    from mlflow.entities import Metric

# Limits of MLflow's REST API.
_PARAMS_PER_REQUEST, _METRICS_PER_REQUEST, _PARAM_LENGTH = 100, 1000, 6000
# MLflow retries for minutes by default.
_ENVIRONMENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3", "MLFLOW_HTTP_REQUEST_TIMEOUT": "30"}

_Entity = TypeVar("_Entity")


class TrackedRun(NamedTuple):
    """What is recorded.

    Attributes:
        name: name of the run.
        params: settings by dotted key.
        metrics: results by name, such as `test_map`.
        history: metrics of each epoch, such as `valid_map`.
        tags: anything else.
    """

    name: str
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    history: Sequence[Mapping[str, float]]
    tags: Mapping[str, str]


def check_installed() -> None:
    """Checks that MLflow can be imported.

    Raises:
        UserError: it cannot.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise UserError(
            "`mlflow.tracking_uri` is set, but MLflow is not installed. Hint: pip install 'tfx-caser[mlflow]'"
        )


def track(run: TrackedRun, settings: MlflowSettings) -> str:
    """Records a run.

    Args:
        run: what to record.
        settings: where.

    Returns:
        ID of the run in MLflow.

    Raises:
        UserError: MLflow is not installed, cannot be reached, or refuses.
    """
    check_installed()
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param
    from mlflow.exceptions import MlflowException

    now = int(1000 * time.time())
    metrics = [Metric(name, value, now, 0) for name, value in run.metrics.items()]
    for step, row in enumerate(run.history, start=1):
        metrics += [Metric(name, value, now, step) for name, value in row.items()]
    params = [Param(name, str(value)[:_PARAM_LENGTH]) for name, value in run.params.items()]
    run_id = ""
    try:
        client = MlflowClient(settings.tracking_uri)
        found = client.get_experiment_by_name(settings.experiment)
        experiment = found.experiment_id if found else client.create_experiment(settings.experiment)
        run_id = str(client.create_run(experiment, tags=dict(run.tags), run_name=run.name).info.run_id)
        for some_params in _parts(params, _PARAMS_PER_REQUEST):
            client.log_batch(run_id, params=some_params)
        for some_metrics in _parts(_finite(metrics), _METRICS_PER_REQUEST):
            client.log_batch(run_id, metrics=some_metrics)
        client.set_terminated(run_id)
    except (MlflowException, OSError) as error:
        if run_id:
            with contextlib.suppress(MlflowException, OSError):
                client.set_terminated(run_id, "FAILED")  # what is there is not all
        reason = " ".join(str(error).split())[:300]
        raise UserError(
            f"MLflow at {settings.tracking_uri}: {reason}. Hint: check `mlflow.tracking_uri`, and run again: "
            "everything else is done and is reused."
        ) from None
    return run_id


def _finite(metrics: Sequence[Metric]) -> Iterator[Metric]:
    return (metric for metric in metrics if abs(metric.value) < float("inf"))


def _parts(entities: Iterable[_Entity], size: int) -> Iterator[list[_Entity]]:
    rest = iter(entities)
    while part := list(islice(rest, size)):
        yield part
