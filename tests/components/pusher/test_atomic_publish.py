"""The swap at file level: whoever polls the folder as TF Serving does never meets an incomplete version."""

import os
import random
import signal
import subprocess
import sys
import time

from components.pusher.version_dirs import versions

FILES = ("saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001", "assets/items")
PUSHES = 2000

# Pushes without end, each model with its number in every file; tells the number of each finished push.
PUSHER = """
import os, sys
from components.pusher import version_dirs as versions
# Waiting for the disk would take most of the time, and is not tested here.
os.fsync = lambda handle: None
source, target, files = sys.argv[1], sys.argv[2], sys.argv[3:]
for number in range(int(os.environ["FIRST"]), 1 << 30):
    for name in files:
        os.makedirs(os.path.dirname(os.path.join(source, name)), exist_ok=True)
        with open(os.path.join(source, name), "w") as file:
            file.write(str(number) * 50)
    versions.publish(source, target, lambda staged, version: None)
    for old in versions.removable(versions.versions(target), 3, ()):
        versions.remove(target, old)
    print(number, flush=True)
"""


class Reader:
    """Polls: the newest folder whose name is a number is loaded at once, and must be whole."""

    def __init__(self, target):
        self.target, self.loaded, self.newest, self.incomplete = target, 0, -1, []

    def poll(self):
        present = versions(self.target)
        if present and present[-1] > self.newest:
            self.newest = present[-1]
            self.loaded += 1
            self._load(os.path.join(self.target, str(self.newest)))

    def _load(self, folder):
        try:
            contents = set()
            for name in FILES:
                with open(os.path.join(folder, name)) as file:
                    contents.add(file.read())
            if len(contents) != 1 or "" in contents:
                self.incomplete.append((folder, contents))
        except FileNotFoundError as error:
            # Retired since it was listed: by then there are newer ones.
            if os.path.isdir(folder) or versions(self.target)[-1] == self.newest:
                self.incomplete.append((folder, error))


def test_polling_reader_sees_only_complete_versions_despite_killed_pushes(tmp_path):
    target, source = str(tmp_path / "caser"), str(tmp_path / "source")
    reader, chance, pushed, kills = Reader(target), random.Random(3), 0, 0
    started = time.monotonic()
    while pushed < PUSHES:
        pushing = subprocess.Popen(
            [sys.executable, "-c", PUSHER, source, target, *FILES],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "FIRST": str(pushed)},
        )
        os.set_blocking(pushing.stdout.fileno(), False)
        for _ in range(chance.randrange(200, 600)):
            reader.poll()
            # Killed at any moment, wherever it is.
            pushed += len(pushing.stdout.readlines())
            if pushed >= PUSHES:
                break
            time.sleep(chance.random() * 2e-3)
        pushing.send_signal(signal.SIGKILL)
        pushing.wait()
        pushed += len(pushing.stdout.readlines())
        kills += 1
        pushing.stdout.close()
        assert time.monotonic() - started < 120
    assert not reader.incomplete
    assert kills >= 5
    assert reader.loaded > kills
