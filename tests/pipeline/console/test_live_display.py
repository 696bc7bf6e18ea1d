"""The lines of a run, with and without a terminal."""

import io

import pytest
from rich.console import Console

from pipeline.console.live_display import RunConsole, new_console


def test_output_without_a_terminal_is_plain_lines():
    stream = io.StringIO()
    nodes = RunConsole(new_console(stream))
    with nodes:
        nodes.on_node_start("Transform")
        nodes.on_node_end("Transform", "cached", 0.25)
        nodes.on_node_start("CaserTrainer")
        for step in (50, 100):
            nodes.on_training(1, 10, step, 100, {"loss": 1.5})
        nodes.on_node_failed("CaserTrainer", ValueError("x"), 12.0)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert "\x1b" not in stream.getvalue()
    assert lines[0].split()[1] == "Transform"
    assert lines[0].endswith("cached      0.2 s")
    assert lines[1].split() == ["epoch", "1", "of", "10", "loss", "1.5000"]
    assert "failed" in lines[2]
    assert nodes.states == {"Transform": "cached", "CaserTrainer": "failed"}


def test_markup_in_a_path_is_literal():
    stream = io.StringIO()
    new_console(stream).print("data[1].csv [bold]", markup=False)
    assert "data[1].csv [bold]" in stream.getvalue()


@pytest.fixture
def terminal():
    return Console(file=io.StringIO(), force_terminal=True, color_system=None, width=100)


def test_training_in_a_terminal_has_a_bar(terminal):
    with RunConsole(terminal) as nodes:
        nodes.on_node_start("CaserTrainer")
        nodes.on_training(2, 4, 50, 100, {"loss": 1.5})
    output = terminal.file.getvalue()
    assert "epoch  2 of 4  loss 1.5000" in output
    assert "━" in output


def test_other_node_in_a_terminal_has_no_bar(terminal):
    with RunConsole(terminal) as nodes:
        nodes.on_node_start("Transform")
    output = terminal.file.getvalue()
    assert "Mapping users and items to ids" in output
    assert "━" not in output


def test_terminal_keeps_one_line_per_finished_node(terminal):
    with RunConsole(terminal) as nodes:
        for node in ("Transform", "CaserTrainer"):
            nodes.on_node_start(node)
            nodes.on_node_end(node, "done", 1.0)
    assert terminal.file.getvalue().count("done") == 2
