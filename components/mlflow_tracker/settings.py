"""Settings of MLflow tracking."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import Field, field_validator

from components.settings import Settings


class MlflowSettings(Settings):
    """MLflow tracking (`components.mlflow_tracker`); needs the extra `mlflow`."""

    tracking_uri: str | None = Field(
        None, description="URI of the MLflow server, such as http://mlflow:5000; unset: runs are not recorded"
    )
    experiment: str = Field("caser", min_length=1, description="name of the experiment; created if it is missing")

    @field_validator("tracking_uri")
    @classmethod
    def _has_no_password(cls, uri: str | None) -> str | None:
        if uri is not None and "@" in urlsplit(uri).netloc:
            raise ValueError(
                "`mlflow.tracking_uri` should not have a password, since it is stored with the run. Hint: set the "
                "environment variables MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            )
        return uri or None
