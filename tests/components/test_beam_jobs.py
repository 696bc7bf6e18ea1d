"""Jobs on a real job service, in this process."""

import threading

import apache_beam as beam
import pytest
from apache_beam.portability.api import beam_job_api_pb2
from apache_beam.runners.portability import local_job_service

from components.beam_jobs import cancelled_on_error

_started, _go_on = threading.Event(), threading.Event()


def wait(element):
    _started.set()
    _go_on.wait(60)
    return element


@pytest.fixture
def service(tmp_path):
    service = local_job_service.LocalJobServicer(str(tmp_path))
    service.endpoint = f"localhost:{service.start_grpc_server(0)}"
    _started.clear()
    _go_on.clear()
    yield service
    _go_on.set()
    service.stop()


def start(service, function):
    """Starts a job in the background, as TFX's nodes do."""
    arguments = [f"--job_endpoint={service.endpoint}", "--environment_type=LOOPBACK"]
    pipeline = beam.Pipeline(argv=["--runner=PortableRunner", *arguments])
    _ = pipeline | beam.Create([1]) | beam.Map(function)
    return pipeline.run()


def state_of_job(service):
    (job,) = service._jobs.values()
    return beam_job_api_pb2.JobState.Enum.Name(job.state)


def watched(error, act):
    """Acts, then ends the block with an error."""
    with cancelled_on_error():
        act()
        raise error


def test_interrupted_block_cancels_its_job(service):
    def act():
        start(service, wait)
        assert _started.wait(60)

    with pytest.raises(KeyboardInterrupt):
        watched(KeyboardInterrupt, act)
    assert state_of_job(service) in ("CANCELLING", "CANCELLED")


def test_finished_job_is_left_alone(service):
    with pytest.raises(KeyboardInterrupt):
        watched(KeyboardInterrupt, lambda: start(service, abs).wait_until_finish())
    assert state_of_job(service) == "DONE"


def test_job_that_cannot_be_cancelled_does_not_hide_the_error(service, caplog):
    def act():
        start(service, wait)
        assert _started.wait(60)
        service.stop()

    with pytest.raises(ValueError, match="why the run ended"):
        watched(ValueError("why the run ended"), act)
    assert "could not be cancelled" in caplog.text


def test_jobs_after_the_block_are_not_watched(service):
    run = beam.Pipeline.run
    with cancelled_on_error():
        assert beam.Pipeline.run is not run
    assert beam.Pipeline.run is run
