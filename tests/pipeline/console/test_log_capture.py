"""The screen stays quiet and the log holds all noise."""

import subprocess
import sys

from pipeline.console.log_capture import new_log_file

SCRIPT = """
import logging, os, subprocess, sys, warnings
from pathlib import Path
from pipeline.console.log_capture import redirect_output_to
with redirect_output_to(Path(sys.argv[1])) as screen:
    print("printed noise"); print("error noise", file=sys.stderr)
    os.write(1, b"noise of C\\n"); os.write(2, b"error noise of C\\n")
    subprocess.run(["echo", "noise of a child"])
    logging.getLogger("tfx").info("logged noise"); warnings.warn("warned noise")
    screen.write("for the user\\n")
print("after")
"""


def test_redirected_output_goes_to_the_log(tmp_path):
    log = tmp_path / "run.log"
    done = subprocess.run([sys.executable, "-c", SCRIPT, str(log)], capture_output=True, text=True, check=True)
    assert done.stdout == "for the user\nafter\n"
    assert done.stderr == ""
    text = log.read_text()
    for noise in ("printed", "error noise\n", "noise of C", "error noise of C", "of a child", "logged", "warned"):
        assert noise in text


def test_log_files_of_one_second_are_distinct(tmp_path):
    first = new_log_file(tmp_path / "logs")
    first.touch()
    assert new_log_file(tmp_path / "logs") != first
