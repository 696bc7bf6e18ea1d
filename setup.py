"""Package metadata, used by `pip install .`, Beam's `--setup_file` and the container image.

Tools (ruff, mypy, pytest, uv) are configured in `pyproject.toml`.
"""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="tfx-caser",
    version="0.1.0",
    description="Sequential recommendation with Caser on TFX: from an interaction log to TF Serving.",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["components*", "pipeline*", "schemas*"]),
    py_modules=["tfx_caser"],
    package_data={"schemas": ["*.pbtxt"], "pipeline.config": ["presets/*.yaml"], "pipeline.results": ["templates/*"]},
    python_requires=">=3.10,<3.14",
    # Two TFX versions, one code base: 1.16 on Python 3.10, 1.21 on Python 3.11 and later.
    install_requires=[
        "tfx==1.16.0; python_version < '3.11'",
        "tfx==1.21.0; python_version >= '3.11'",
        # Imported by tensorflow-transform 1.16, which does not declare it.
        "dill",
        "click>=8.1",
        # The HTML report; also a dependency of TFX.
        "Jinja2>=3.1",
        # `caser doctor` reads the requirements of this package.
        "packaging",
        "pydantic>=2.6,<3",
        # Keeps pyarrow 10, which TFX 1.16 needs, from running code out of a Parquet file.
        "pyarrow-hotfix",
        "PyYAML>=6",
        "rich>=13",
        # The Tuner; also a dependency of TFX.
        "keras-tuner",
        # k-means of the approximate index, and the Tuner's Gaussian process; also a dependency of TFX.
        "scikit-learn",
        # Compressed files.
        "zstandard",
        # Retries of object stores.
        "tenacity>=9",
        "scipy",
        # Writes the training curves; TensorFlow 2.21 no longer depends on it.
        "tensorboard",
        # Warm-up requests, and TF Serving's configuration; each TFX version has its own release of the stubs.
        "tensorflow-serving-api",
    ],
    extras_require={
        # `caser kubeflow submit`, `follow` and `schedule`. On TFX 1.16 only kfp 2.5.0 resolves.
        "kubeflow": ["kfp>=2.5", "kubernetes"],
        # The client of a server, over REST and gRPC.
        "serving": ["grpcio", "tenacity>=9", "tensorflow-serving-api", "urllib3>=1.26"],
        # Libraries of CUDA, of the versions that TensorFlow was built with; the driver is the machine's.
        "gpu": ["tensorflow[and-cuda]; sys_platform == 'linux'"],
        # The client alone: the whole package would bring a server.
        "mlflow": ["mlflow-skinny>=2.9"],
    },
    entry_points={"console_scripts": ["caser = tfx_caser:main"]},
)
