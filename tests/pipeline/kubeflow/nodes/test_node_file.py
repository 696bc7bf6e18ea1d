"""Nodes too long for an argument: files beside the compiled pipeline and on the volume, named by their content."""

from __future__ import annotations

import pytest
import yaml
from click.testing import CliRunner

from components.errors import UserError
from pipeline.cli.main import main
from pipeline.kubeflow.compiler.spec_file import MAX_BYTES, read_spec
from pipeline.kubeflow.nodes.node_file import (
    FOLDER,
    MAX_INLINE,
    copy_nodes,
    read_node,
    reference,
    references,
    write_nodes,
)
from pipeline.kubeflow.nodes.node_ir import decode, only_node

pytestmark = pytest.mark.xdist_group("kubeflow")

EVENTS = [f"event {number * 7919 % 100_003}" for number in range(20_000)]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    settings = folder / "long.yaml"
    settings.write_text(yaml.safe_dump({"data": {"event_column": "event", "events": EVENTS}}))
    file = folder / "pipeline.yaml"
    arguments = ["kubeflow", "compile", "--config", str(settings), "--image", "caser:1", "--output", str(file)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert f"Copy {folder / FOLDER} to the volume" in result.output
    return file


@pytest.fixture
def spec(compiled):
    return read_spec(compiled).pipeline


def test_large_configuration_is_in_a_payload_file(compiled, spec):
    assert compiled.stat().st_size < MAX_BYTES / 4
    assert EVENTS[-1] not in compiled.read_text()
    (argument,) = references(spec)
    assert argument in spec["deploymentSpec"]["executors"]["exec-interaction-example-gen"]["container"]["args"]
    (file,) = (compiled.parent / FOLDER).iterdir()
    assert file.stat().st_size > MAX_INLINE
    node = only_node(decode(read_node(argument, str(compiled.parent))))
    assert EVENTS[-1] in str(node.parameters)


def test_usual_node_is_its_own_argument(tmp_path, spec):
    container = spec["deploymentSpec"]["executors"]["exec-transform"]["container"]
    node = container["args"][container["args"].index("--node") + 1]
    assert read_node(node, str(tmp_path)) == node
    assert only_node(decode(node)).node_info.id == "Transform"


def test_payload_files_of_several_pipelines_share_a_directory(tmp_path):
    for nodes in (["a", "b"], ["b", "c"]):
        write_nodes(nodes, tmp_path)
    for node in ("a", "b", "c"):
        assert read_node(reference(node), str(tmp_path)) == node


def test_only_referenced_payload_files_are_copied(tmp_path):
    source, volume = tmp_path / "source", tmp_path / "volume"
    volume.mkdir()
    write_nodes(["wanted", "other"], source)
    copy_nodes([reference("wanted"), reference("absent")], source, volume)
    assert [file.read_text() for file in (volume / FOLDER).iterdir()] == ["wanted"]


def test_missing_payload_file_is_one_message(tmp_path):
    with pytest.raises(UserError, match=rf"Cannot read .*: No such file.*Hint: copy the directory {FOLDER}") as caught:
        read_node(reference("node"), str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"other", b"\xff\xfe"])
def test_modified_payload_file_is_one_message(tmp_path, content):
    write_nodes(["node"], tmp_path)
    (file,) = (tmp_path / FOLDER).iterdir()
    file.write_bytes(content)
    with pytest.raises(UserError, match=rf"was modified after compilation. Hint: copy the directory {FOLDER}"):
        read_node(reference("node"), str(tmp_path))
