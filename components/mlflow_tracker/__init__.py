"""MlflowTracker: records settings and results of a run in MLflow."""
