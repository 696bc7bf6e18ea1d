"""Loads compiled pipelines with the SDK of Kubeflow that this Python has; `make test-kfp` runs it with several.

    python load_with_kfp.py FILE ...

It needs nothing else, since no other version than that of the lock can be installed beside TFX.
"""

import sys

import kfp
from kfp import components


def main(files):
    for file in files:
        loaded = components.load_component_from_file(file)
        inputs = {name: spec.default for name, spec in loaded.component_spec.inputs.items()}
        assert loaded.pipeline_spec.pipeline_info.name == "caser", loaded.pipeline_spec.pipeline_info
        assert inputs.keys() == {"data", "epochs", "push"}, inputs
        assert (inputs["data"], inputs["push"]) == ("data/interactions.csv", True), inputs
        tasks = loaded.pipeline_spec.root.dag.tasks
        print(f"kfp {kfp.__version__}: {file}: {len(tasks)} tasks, inputs {inputs}")


if __name__ == "__main__":
    main(sys.argv[1:])
