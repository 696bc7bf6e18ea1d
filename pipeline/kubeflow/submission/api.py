"""Kubeflow's API through the `kfp` client, with its failures as messages for people."""

from __future__ import annotations

import contextlib
import hashlib
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from components.errors import UserError

if TYPE_CHECKING:
    import kfp

_UNAUTHORISED, _NOT_FOUND = (401, 403), 404
_TIMEOUT_SECONDS = 30


class Access(NamedTuple):
    """How to reach the API.

    Attributes:
        host: URL, such as http://localhost:8080 behind `kubectl port-forward`.
        namespace: of the runs, where Kubeflow has several users; None: its only one.
        token: bearer token.
        cookies: such as authservice_session=..., where a login page is in front.
        in_cluster: whether the token of the pod's service account is used.
    """

    host: str
    namespace: str | None = None
    token: str | None = None
    cookies: str | None = None
    in_cluster: bool = False


class Version(NamedTuple):
    """A pipeline's version on the server."""

    pipeline_id: str
    version_id: str


@contextlib.contextmanager
def connection(access: Access) -> Iterator[kfp.Client]:
    """A client; what goes wrong while it is used is raised as UserError.

    Args:
        access: how to reach the API.

    Raises:
        UserError: kfp is not installed, nothing answers, or the answer is a refusal.
    """
    try:
        import kfp
        import kfp_server_api
        import urllib3
        from kfp.client import ServiceAccountTokenVolumeCredentials
    except ImportError:
        raise UserError("This needs Kubeflow's client. Hint: pip install 'tfx-caser[kubeflow]'.") from None
    _probe(access)
    try:
        yield kfp.Client(
            host=access.host,
            existing_token=access.token,
            cookies=access.cookies,
            credentials=ServiceAccountTokenVolumeCredentials() if access.in_cluster else None,
        )
    except kfp_server_api.ApiException as error:
        raise UserError(_refusal(access, error.status, str(error.body or error.reason))) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise UserError(_silence(access, error)) from None


def upload(client: kfp.Client, file: Path, name: str, namespace: str | None) -> Version:
    """Makes the file a version of the pipeline, unless the same file is one already.

    Args:
        client: of the server.
        file: the compiled pipeline.
        name: of the pipeline.
        namespace: see `Access`.

    Returns:
        The version, named by the file's content.
    """
    version_name = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    pipeline_id = client.get_pipeline_id(name)
    if pipeline_id is None:
        pipeline_id = client.upload_pipeline(str(file), pipeline_name=name, namespace=namespace).pipeline_id
    else:
        listed = client.list_pipeline_versions(pipeline_id, page_size=100, sort_by="created_at desc")
        for version in listed.pipeline_versions or []:
            if version.display_name == version_name:
                return Version(pipeline_id, version.pipeline_version_id)
    made = client.upload_pipeline_version(str(file), version_name, pipeline_id=pipeline_id)
    return Version(pipeline_id, made.pipeline_version_id)


def _probe(access: Access) -> None:
    """Asks once; kfp's client asks five times with pauses, prints a trace each time, and forgets the reason."""
    request = urllib.request.Request(f"{access.host.rstrip('/')}/apis/v2beta1/healthz")
    if access.token:
        request.add_header("Authorization", f"Bearer {access.token}")
    if access.cookies:
        request.add_header("Cookie", access.cookies)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS):
            pass
    except urllib.error.HTTPError as error:
        # A pod's own token is read by the client, later.
        if not (access.in_cluster and error.code in _UNAUTHORISED):
            raise UserError(_refusal(access, error.code, error.read().decode(errors="replace"))) from None
    except (OSError, ValueError) as error:
        raise UserError(_silence(access, error)) from None


def _silence(access: Access, error: Exception) -> str:
    return (
        f"Kubeflow does not answer at {access.host} ({' '.join(str(error).split())[:200]}). Hint: check --host, or "
        "kubectl port-forward -n kubeflow svc/ml-pipeline-ui 8080:80 and --host http://localhost:8080."
    )


def _refusal(access: Access, status: int, reason: str) -> str:
    if status in _UNAUTHORISED:
        return (
            f"Kubeflow at {access.host} does not let you in (status {status}). Hint: --token or --cookies; in a pod "
            "--in-cluster; and the --namespace that is yours."
        )
    if status == _NOT_FOUND:
        return f"There is no Kubeflow Pipelines API at {access.host} (status 404). Hint: check --host."
    return f"Kubeflow at {access.host} refused (status {status}): {' '.join(reason.split())[:300]}"
