"""The commands of `caser kubeflow`."""
