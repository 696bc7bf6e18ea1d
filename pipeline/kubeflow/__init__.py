"""The pipeline on open-source Kubeflow Pipelines: one container task per TFX node, each run by TFX's own launcher."""
