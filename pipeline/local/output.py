"""Where a run writes: one directory, or an object store with a directory for what cannot be there."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.errors import UserError
from components.files import refuse_glob_characters, register_file_system
from pipeline.console.log_capture import suppress_output

if TYPE_CHECKING:
    import tensorflow as tf

DATABASE, REPORT, METRICS = "metadata.sqlite", "report.html", "metrics.json"

_PROBE, _PROBE_SECONDS = ".caser-probe", 30.0
_HINTS = {"s3": "`pip install tensorflow-io boto3` into the environment, in the release for its TensorFlow."}


class Output(NamedTuple):
    """The output of a run.

    Attributes:
        root: absolute path, or URI, below which artifacts and models are written.
        local: absolute path of the directory with lock, database, logs, report and metrics; `root` if that is a path.
    """

    root: str
    local: Path

    @classmethod
    def of(cls, text: str) -> Output:
        """The output that a user names.

        Args:
            text: a path, or a URI such as `gs://bucket/runs/mine`, whose last part names the local directory.

        Raises:
            UserError: TFX would take the path for a pattern.
        """
        if "://" in text:
            root = text.rstrip("/")
            output = cls(root, Path(root.rpartition("/")[2]).absolute())
        else:
            local = Path(text).absolute()
            output = cls(str(local), local)
        refuse_glob_characters(output.root, "--output")
        return output

    @property
    def is_remote(self) -> bool:
        """Whether artifacts are in an object store."""
        return "://" in self.root

    def check(self) -> None:
        """Checks that artifacts can be written, if they go to an object store.

        Raises:
            UserError: they cannot.
        """
        if not self.is_remote:
            return
        scheme = self.root.partition(":")[0]
        with suppress_output():
            import tensorflow as tf

            register_file_system(self.root)
            found: list[tf.errors.OpError | None] = []
            # TensorFlow repeats requests for many minutes where, for example, there is no such bucket.
            probe = threading.Thread(target=lambda: found.append(_probe(self.root)), daemon=True)
            probe.start()
            probe.join(_PROBE_SECONDS)
        error = found[0] if found else tf.errors.DeadlineExceededError(None, None, f"no answer in {_PROBE_SECONDS:g} s")
        if isinstance(error, tf.errors.UnimplementedError):
            hint = _HINTS.get(scheme, "pass gs://bucket/path, s3://bucket/path or a directory.")
            raise UserError(f"--output {self.root}: TensorFlow has no file system for {scheme}://. Hint: {hint}")
        if error:
            raise UserError(
                f"--output {self.root} cannot be written: {_reason(error)}. "
                "Hint: check that the bucket exists, and that this machine is logged in with the right to write it."
            )

    def fetch_database(self) -> None:
        """Gets the database of a run on another machine, unless this one has one.

        Raises:
            UserError: it cannot be read.
        """
        if not self.is_remote or (self.local / DATABASE).exists():
            return
        import tensorflow as tf

        try:
            if tf.io.gfile.exists(f"{self.root}/{DATABASE}"):
                tf.io.gfile.copy(f"{self.root}/{DATABASE}", str(self.local / DATABASE))
        except tf.errors.OpError as error:
            raise UserError(
                f"{self.root}/{DATABASE} cannot be read: {_reason(error)}. Hint: run the same command again."
            ) from None

    def store(self) -> None:
        """Copies database, report and metrics beside the artifacts, if these are in an object store.

        Raises:
            UserError: they cannot be written.
        """
        if not self.is_remote:
            return
        import tensorflow as tf

        try:
            for name in (DATABASE, REPORT, METRICS):
                if (self.local / name).exists():
                    tf.io.gfile.copy(str(self.local / name), f"{self.root}/{name}", overwrite=True)
        except tf.errors.OpError as error:
            raise UserError(
                f"The results in {self.local} cannot be copied to {self.root}: {_reason(error)}. "
                "Hint: run the same command again; nodes that are done are reused."
            ) from None


def _reason(error: tf.errors.OpError) -> str:
    return " ".join(str(error.message).split())[:300]


def _probe(root: str) -> tf.errors.OpError | None:
    """Writes and removes an object; returns why that failed."""
    import tensorflow as tf

    try:
        tf.io.gfile.makedirs(root)
        with tf.io.gfile.GFile(f"{root}/{_PROBE}", "w") as file:
            file.write("")
        tf.io.gfile.remove(f"{root}/{_PROBE}")
    except tf.errors.OpError as error:
        return error
    return None
