"""Real MariaDB and PostgreSQL servers from Debian's packages, as `make test-deps` installs them."""

from __future__ import annotations

import glob
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_OPTIONS = ("--skip-test-db", "--auth-root-authentication-method=normal")
PASSWORD = "secret & long"


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Database:
    """A server in a folder of its own, with the user and the database `caser`; it can be stopped and started again."""

    user: str
    scheme: str
    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, _free_port()
        self._process: subprocess.Popen | None = None
        self.url = f"{self.scheme}://caser@127.0.0.1:{self.port}/caser"
        folder.mkdir()
        # Servers refuse to run as root.
        if os.getuid() == 0:
            shutil.chown(folder, self.user)
            for parent in folder.parents:
                if parent.stat().st_uid == 0 and parent not in (Path("/"), Path("/tmp")):
                    parent.chmod(parent.stat().st_mode | 0o055)

    def start(self) -> None:
        with (self.folder.parent / f"{self.scheme}.log").open("a") as log:
            self._process = subprocess.Popen(self._server(), stdout=log, stderr=log, **self._as_user())
        deadline = time.monotonic() + 60
        while subprocess.run(self._ping(), capture_output=True, check=False, **self._as_user()).returncode:
            assert self._process.poll() is None, "the database ended"
            assert time.monotonic() < deadline
            time.sleep(0.2)

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(self.stop_signal)
            self._process.wait()

    def run(self, *command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, **self._as_user())

    def _as_user(self) -> dict[str, str]:
        return {"user": self.user, "cwd": "/"} if os.getuid() == 0 else {"cwd": "/"}

    def _server(self) -> list[str]:
        raise NotImplementedError

    def _ping(self) -> list[str]:
        raise NotImplementedError


class MariaDb(Database):
    user, scheme = "mysql", "mysql"

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("mariadbd") is not None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._socket = str(folder / "socket")
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={folder}", *_OPTIONS)
        self.start()
        quoted = PASSWORD.replace("'", "''")
        self._sql(
            "DROP USER IF EXISTS ''@'localhost'; CREATE DATABASE caser; "
            f"CREATE USER caser@'%' IDENTIFIED BY '{quoted}'; GRANT ALL ON caser.* TO caser@'%';"
        )

    def _sql(self, statements: str) -> None:
        self.run("mariadb", "--no-defaults", "--user=root", f"--socket={self._socket}", "-e", statements)

    def _server(self) -> list[str]:
        options = [f"--datadir={self.folder}", f"--socket={self._socket}", f"--port={self.port}"]
        return ["mariadbd", "--no-defaults", "--bind-address=127.0.0.1", "--innodb-buffer-pool-size=16M", *options]

    def _ping(self) -> list[str]:
        return ["mariadb-admin", "--no-defaults", f"--socket={self._socket}", "ping"]


class PostgreSql(Database):
    user, scheme = "postgres", "postgresql"
    stop_signal = signal.SIGINT  # ends connections instead of waiting for them

    @staticmethod
    def _program(name: str) -> str | None:
        found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"))
        return found[-1] if found else shutil.which(name)

    @classmethod
    def is_installed(cls) -> bool:
        return cls._program("initdb") is not None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._data = folder / "data"
        self.run(str(self._program("initdb")), "-D", str(self._data), "-U", "admin", "--auth=trust")
        (self._data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self.start()
        for statement in (f"CREATE USER caser PASSWORD '{PASSWORD}'", "CREATE DATABASE caser OWNER caser"):
            self.run("psql", "-h", str(self.folder), "-p", str(self.port), "-U", "admin", "postgres", "-c", statement)

    def _server(self) -> list[str]:
        options = ["-k", str(self.folder), "-p", str(self.port), "-h", "127.0.0.1", "-F"]
        return [str(self._program("postgres")), "-D", str(self._data), *options]

    def _ping(self) -> list[str]:
        return [str(self._program("pg_isready")), "-h", str(self.folder), "-p", str(self.port)]
