"""Settings of batch recommendations."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from components.settings import Settings

BatchFormat = Literal["parquet", "jsonl"]


class BatchSettings(Settings):
    """Recommendations for all users, made by each run that pushes a model (`components.batch_recommender`)."""

    enabled: bool = Field(False, description="write recommendations for all users")
    k: int = Field(10, ge=1, description="number of recommendations per user (at most export.k)")
    format: BatchFormat = Field("parquet", description="file format; jsonl: JSON lines")
