"""What Beam's workers need."""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from components.errors import UserError
from pipeline.local import beam_workers
from pipeline.local.beam_workers import are_remote, check_output, check_running_mode, with_code
from pipeline.pipeline import NO_REMOTE_WORKERS

FLINK = ("--runner=FlinkRunner", "--flink_master=host:8081")


@pytest.mark.parametrize(
    ("arguments", "remote"),
    [
        ((), False),
        (("--direct_num_workers=2",), False),
        (("--runner=DirectRunner",), False),
        (("--runner=apache_beam.runners.direct.DirectRunner",), False),
        (("--runner", "FnApiRunner"), False),
        (FLINK, True),
        (("--runner", "DataflowRunner"), True),
        (("--runner=PortableRunner", "--environment_type=DOCKER"), True),
        (("--runner=PortableRunner", "--environment_type=LOOPBACK"), False),
        (("--runner=FlinkRunner", "--environment_type", "loopback"), False),
        (("--runner=DirectRunner", "--runner=SparkRunner"), True),  # the last one counts
    ],
)
def test_workers_are_remote_unless_the_runner_or_loopback_keeps_them_here(arguments, remote):
    assert are_remote(arguments) is remote


def test_remote_workers_get_the_project_with_its_setup_file(tmp_path):
    *given, setup = with_code(FLINK, tmp_path)
    assert tuple(given) == FLINK
    assert setup.startswith("--setup_file=")
    assert 'name="tfx-caser"' in Path(setup.partition("=")[2]).read_text()


@pytest.mark.parametrize("option", ["--setup_file=my/setup.py", "--sdk_container_image=me/caser:1"])
def test_code_given_by_the_user_is_left_alone(option, tmp_path):
    assert with_code((*FLINK, option), tmp_path) == [*FLINK, option]


def test_workers_on_this_machine_need_no_package(tmp_path):
    assert with_code(("--direct_num_workers=2",), tmp_path) == ["--direct_num_workers=2", NO_REMOTE_WORKERS]


def test_installed_project_is_packed_with_its_data_and_requirements(tmp_path):
    setup = beam_workers.pack(tmp_path / "package")
    subprocess.run([sys.executable, "setup.py", "-q", "sdist"], cwd=setup.parent, check=True, capture_output=True)
    (archive,) = (tmp_path / "package" / "dist").iterdir()
    with tarfile.open(archive) as packed:
        names = {name.partition("/")[2] for name in packed.getnames()}
    assert {
        "tfx_caser.py",
        "components/transform/preprocessing.py",
        "schemas/interactions.pbtxt",
        "pipeline/config/presets/sample.yaml",
    } <= names
    assert any(line.startswith("tfx==") for line in setup.read_text().replace("'", "\n").splitlines())
    assert "mkdocs" not in setup.read_text()


def test_output_on_this_machine_is_refused_for_workers_elsewhere():
    with pytest.raises(UserError, match=r"/data/run on this one\. Hint: pass --shared-output"):
        check_output("/data/run", FLINK, shared_output=False)
    check_output("/data/run", FLINK, shared_output=True)
    check_output("/data/run", (), shared_output=False)


def test_several_threads_of_the_local_runner_are_refused_with_a_hint():
    threads = "--direct_running_mode=multi_threading"
    for arguments in ((threads,), (threads, "--direct_num_workers=2"), (threads, "--direct_num_workers", "0")):
        with pytest.raises(UserError, match="Hint: --beam-arg=--direct_running_mode=multi_processing"):
            check_running_mode(arguments)
    for arguments in ((), (threads, "--direct_num_workers=1"), ("--direct_running_mode=multi_processing",)):
        check_running_mode(arguments)
