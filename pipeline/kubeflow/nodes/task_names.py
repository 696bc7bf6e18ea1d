"""Task names in Kubeflow: lower case, digits and dashes."""

from __future__ import annotations

import re

# Name of the metrics artifact of the task that evaluates.
METRICS = "metrics"
# With an exit task: the sub-DAG with all nodes, and the task that follows it.
NODES_TASK, EXIT_TASK = "nodes", "report-run"


def task_name(node_id: str) -> str:
    """The task name of a node: `CaserTrainer` -> `caser-trainer`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", node_id).lower()


def node_id(task: str) -> str:
    """The inverse of `task_name`."""
    return "".join(word.capitalize() for word in task.split("-"))
