"""Certificate authorities, and what a failed TLS handshake means."""

from __future__ import annotations

import ssl

from components.errors import UserError


def check_authorities(ca: str | None) -> None:
    """Checks a file of certificate authorities.

    Args:
        ca: PEM file of the trusted certificate authorities; None: those of the system.

    Raises:
        UserError: the file cannot be read, or contains no certificate.
    """
    try:
        ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise UserError(f"{ca} contains no certificate in PEM format. Hint: check --ca.") from None
    except OSError as error:
        raise UserError(f"{ca} cannot be read: {error.strerror}. Hint: check --ca.") from None


def is_tls_problem(reason: str) -> bool:
    """Whether a failed connection was refused in the TLS handshake, so that trying again does not help."""
    return any(part in reason for part in ("WRONG_VERSION_NUMBER", "CERTIFICATE_VERIFY_FAILED", "Hostname mismatch"))


def tls_problem(url: str, reason: str) -> str:
    """The message for a failed handshake.

    Args:
        url: URL of the server.
        reason: what OpenSSL says.
    """
    if "WRONG_VERSION_NUMBER" in reason or "wrong version number" in reason:
        plain = url.replace("https://", "http://").replace("grpcs://", "grpc://")
        return f"{url}: the server does not use TLS on this port. Hint: use {plain}"
    return (
        f"{url}: the server's certificate is not trusted: {reason}. "
        "Hint: pass the certificate of its authority with --ca."
    )
