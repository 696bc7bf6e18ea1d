"""Kubeflow's API through the `kfp` client; its failures become UserErrors."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import json
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from components.errors import UserError

if TYPE_CHECKING:
    import kfp

_UNAUTHORIZED, _NOT_FOUND, _SERVER_ERROR = (401, 403), 404, 500
_TIMEOUT_SECONDS = 30
_PROBED_BYTES = 1 << 16
# How long a lost connection is tried again.
_LOST_SECONDS = 600.0
_PAUSE_SECONDS = 5.0
_Result = TypeVar("_Result")


class Access(NamedTuple):
    """How to reach the API.

    Attributes:
        host: URL, such as http://localhost:8080 behind `kubectl port-forward`.
        namespace: namespace of the runs in multi-user deployments; None: the only one.
        token: bearer token.
        cookies: cookies such as authservice_session=..., for deployments behind a login page.
        in_cluster: whether to use the token of the pod's service account.
    """

    host: str
    namespace: str | None = None
    token: str | None = None
    cookies: str | None = None
    in_cluster: bool = False


class Version(NamedTuple):
    """A pipeline version on the server."""

    pipeline_id: str
    version_id: str


@contextlib.contextmanager
def connection(access: Access) -> Iterator[kfp.Client]:
    """Creates a client; API errors inside the block become UserErrors.

    Args:
        access: how to reach the API.

    Raises:
        UserError: kfp is not installed, the API cannot be reached, or it refuses a request.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import kfp
            import kfp_server_api
            import urllib3
            from kfp.client import ServiceAccountTokenVolumeCredentials
    except ImportError:
        raise UserError("The Kubeflow SDK is not installed. Hint: pip install 'tfx-caser[kubeflow]'.") from None
    access = access._replace(
        token=_header_value(access.token, "--token"), cookies=_header_value(access.cookies, "--cookies")
    )
    _probe(access)
    try:
        yield quietly(
            kfp.Client,
            host=access.host,
            existing_token=access.token,
            cookies=access.cookies,
            credentials=ServiceAccountTokenVolumeCredentials() if access.in_cluster else None,
        )
    except kfp_server_api.ApiException as error:
        raise UserError(_refusal(access, error.status, str(error.body or error.reason))) from None
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise UserError(_unreachable(access, error)) from None


def quietly(call: Callable[..., _Result], *arguments: Any, **options: Any) -> _Result:
    """Calls the SDK without its warnings and the links that it prints for notebooks.

    Raises:
        UserError: the answer was not that of the API, which the SDK does not check.
    """
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            return call(*arguments, **options)
        except (AttributeError, KeyError, TypeError) as error:
            raise UserError(_unexpected("The server", f"{type(error).__name__}: {error}")) from error


def with_connection_retries(call: Callable[[], _Result], say_lost: Callable[[str], None]) -> _Result:
    """Calls the API; while the connection is lost, such as a port-forward that ended, tries again for ten minutes.

    Args:
        call: the request; it must be safe to repeat.
        say_lost: is called once with the reason.

    Returns:
        The result.

    Raises:
        Exception: whatever the last attempt raised.
    """
    import kfp_server_api
    import urllib3

    deadline = time.monotonic() + _LOST_SECONDS
    is_said = False
    while True:
        try:
            return quietly(call)
        except (urllib3.exceptions.HTTPError, OSError, kfp_server_api.ApiException) as error:
            status = getattr(error, "status", None)
            if (status and status < _SERVER_ERROR) or time.monotonic() >= deadline:
                raise
            if not is_said:
                say_lost(f"HTTP {status}" if status else type(error).__name__)
                is_said = True
            time.sleep(_PAUSE_SECONDS)


def upload(client: kfp.Client, file: Path, name: str, namespace: str | None) -> Version:
    """Uploads a compiled pipeline as a new version, unless the same file was uploaded before.

    Args:
        client: Kubeflow client.
        file: the compiled pipeline.
        name: name of the pipeline.
        namespace: namespace in multi-user deployments.

    Returns:
        The version, named by a digest of the file.
    """
    version_name = hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    pipeline_id = quietly(client.get_pipeline_id, name)
    if pipeline_id is None:
        pipeline_id = _create_pipeline(client, name, namespace)
    versions = quietly(client.list_pipeline_versions, pipeline_id, page_size=100, sort_by="created_at desc")
    for version in getattr(versions, "pipeline_versions", None) or []:
        if version.display_name == version_name:
            return Version(pipeline_id, required_id(version.pipeline_version_id))
    uploaded = quietly(client.upload_pipeline_version, str(file), version_name, pipeline_id=pipeline_id)
    return Version(pipeline_id, required_id(getattr(uploaded, "pipeline_version_id", None)))


def _create_pipeline(client: kfp.Client, name: str, namespace: str | None) -> str:
    """Creates a pipeline without a version; the SDK's upload of a pipeline would create one more, with its name."""
    import kfp_server_api

    api = kfp_server_api.PipelineServiceApi(client._upload_api.api_client)
    fields = {"display_name": name, "namespace": namespace}
    # Releases of the generated client differ in names.
    if "name" in kfp_server_api.V2beta1Pipeline.attribute_map:
        fields["name"] = name
    body = kfp_server_api.V2beta1Pipeline(**fields)
    create = getattr(api, "create_pipeline", None) or api.pipeline_service_create_pipeline
    return required_id(getattr(quietly(create, body), "pipeline_id", None))


def _header_value(value: str | None, option: str) -> str | None:
    """A secret without the line break of its file; one that no header can hold is refused without quoting it."""
    if value is not None and not value.strip().isprintable():
        raise UserError(f"{option} should be text in one line. Hint: check where it comes from.")
    return value.strip() if value else None


def _probe(access: Access) -> None:
    """Checks once: kfp's client would try five times, print a traceback each time, and drop the reason."""
    request = urllib.request.Request(f"{access.host.rstrip('/')}/apis/v2beta1/healthz")
    if access.token:
        request.add_header("Authorization", f"Bearer {access.token}")
    if access.cookies:
        request.add_header("Cookie", access.cookies)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
            body = response.read(_PROBED_BYTES)
    except urllib.error.HTTPError as error:
        # In a cluster, the client adds the token of the pod later.
        if not (access.in_cluster and error.code in _UNAUTHORIZED):
            raise UserError(_refusal(access, error.code, error.read().decode(errors="replace"))) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise UserError(_unreachable(access, error)) from None
    try:
        is_api = isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        is_api = False
    if not is_api:
        raise UserError(_unexpected(access.host, body.decode(errors="replace")))


def required_id(value: object) -> str:
    """An ID in an answer of the API; the SDK reads None from a page that is no answer of it.

    Args:
        value: the ID.

    Raises:
        UserError: there is none.
    """
    if not isinstance(value, str) or not value:
        raise UserError(_unexpected("The server", "an answer without an ID"))
    return value


def _unexpected(server: str, received: str) -> str:
    return (
        f"{server} answers, but not as the API of Kubeflow Pipelines: {' '.join(received.split())[:100]!r}. "
        "Hint: if it is a login page, use --token or --cookies; else check --host."
    )


def _unreachable(access: Access, error: Exception) -> str:
    return (
        f"Cannot reach Kubeflow Pipelines at {access.host} ({' '.join(str(error).split())[:200]}). Hint: check --host, "
        "or run kubectl port-forward -n kubeflow svc/ml-pipeline-ui 8080:80 and use --host http://localhost:8080."
    )


def _refusal(access: Access, status: int, reason: str) -> str:
    if status in _UNAUTHORIZED:
        return (
            f"Authentication failed at {access.host} (HTTP {status}). "
            "Hint: use --token or --cookies, or --in-cluster in a pod, and check --namespace."
        )
    if status == _NOT_FOUND:
        return f"No Kubeflow Pipelines API at {access.host} (HTTP 404). Hint: check --host."
    return f"Kubeflow Pipelines at {access.host} refused the request (HTTP {status}): {' '.join(reason.split())[:300]}"
