"""The database of ML Metadata: a SQLite file, or MySQL, MariaDB or PostgreSQL, which are MLMD's own back ends."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ml_metadata.proto import metadata_store_pb2

from components.errors import UserError

PASSWORD = "CASER_METADATA_PASSWORD"
_MYSQL, _POSTGRESQL = ("mysql", "mariadb"), ("postgresql", "postgres")
_MYSQL_PORT, _POSTGRESQL_PORT = 3306, 5432
_FORMS = "FILE, mysql://USER@HOST:3306/NAME or postgresql://USER@HOST:5432/NAME"


def connection_config(database: str) -> metadata_store_pb2.ConnectionConfig:
    """How MLMD connects to a database; the password is read from the environment variable PASSWORD.

    Args:
        database: path of a SQLite file, which is created if missing, or the URL of a database, which must exist.

    Raises:
        UserError: the URL is incomplete, or of another kind of database.
    """
    config = metadata_store_pb2.ConnectionConfig()
    if "://" not in database:
        if not Path(database).absolute().parent.is_dir():
            raise UserError(f"The directory of --database {database} does not exist. Hint: use {_FORMS}.")
        config.sqlite.filename_uri = database
        config.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        return config
    parts = urlsplit(database)
    name, user, host = parts.path.strip("/"), unquote(parts.username or ""), parts.hostname
    if parts.scheme not in (*_MYSQL, *_POSTGRESQL) or not (name and user and host) or parts.password:
        raise UserError(
            f"--database should be {_FORMS}, with the password in the environment variable {PASSWORD}. "
            f"Received: {parts._replace(netloc=parts.netloc.rpartition('@')[2]).geturl()}"
        )
    password = os.environ.get(PASSWORD, "")
    if parts.scheme in _MYSQL:
        mysql = config.mysql
        mysql.host, mysql.port, mysql.user, mysql.password = host, parts.port or _MYSQL_PORT, user, password
        mysql.database, mysql.skip_db_creation = name, True
    else:
        postgresql = config.postgresql
        postgresql.host, postgresql.port = host, str(parts.port or _POSTGRESQL_PORT)
        postgresql.user, postgresql.password = user, _quoted(password)
        postgresql.dbname, postgresql.skip_db_creation = name, True
    return config


def _quoted(value: str) -> str:
    """A value for the connection string that MLMD makes, where a blank would end it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def description(database: str) -> str:
    """The database without secrets, for messages."""
    return database.rsplit("@", 1)[-1] if "://" in database else database
