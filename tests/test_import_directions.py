"""The directions of imports and a few other rules of the design, read out of the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("schemas", "components", "pipeline")
ALLOWED = {"schemas": set(), "components": {"schemas"}, "pipeline": {"components", "schemas"}}
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
HEAVY = {"tensorflow", "tfx", "keras", "apache_beam", "tensorflow_transform", "tensorflow_model_analysis", "tfx_bsl"}
# Modules that answer in a blink: the command line, the configuration, and all that they import.
LIGHT_ROOTS = ("pipeline.cli.main", "pipeline.config.config")
BEAM_USERS = ("components.example_gen", "components.evaluator")


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in SOURCES}


def imports(path: Path, module_level_only: bool = False) -> Iterator[str]:
    """Dotted names that a file imports; `from a import b` gives `a.b` where that is a module of ours, else `a`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in _module_level(tree.body) if module_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in MODULES else str(node.module)


def _module_level(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Statements that run on import; not those for type checkers only."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if isinstance(node, ast.ClassDef):
                yield from _module_level(node.body)
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        for block in ("body", "orelse", "finalbody"):
            yield from _module_level(getattr(node, block, []))


def ours(names: Iterator[str]) -> set[str]:
    return {name for name in names if name.split(".")[0] in PACKAGES}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_packages_import_only_what_is_below_them(path):
    package = module_name(path).split(".")[0]
    foreign = {name for name in ours(imports(path)) if name.split(".")[0] not in ALLOWED[package] | {package}}
    assert not foreign


def test_modules_do_not_import_each_other_in_a_circle():
    graph = {name: ours(imports(path, module_level_only=True)) & set(MODULES) for name, path in MODULES.items()}
    finished: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail[trail.index(name) :], name])
        if name not in finished:
            for imported in sorted(graph[name] - {name}):
                visit(imported, (*trail, name))
            finished.add(name)

    for name in graph:
        visit(name, ())


def test_configuration_and_command_line_import_no_framework():
    reached, waiting = set(), list(LIGHT_ROOTS)
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        names = set(imports(MODULES[name], module_level_only=True))
        assert not {found for found in names if found.split(".")[0] in HEAVY}, name
        waiting += ours(iter(names)) & set(MODULES)
    assert "pipeline.cli.run" in reached


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_beam_stays_in_example_gen_and_metrics(path):
    if any(name.split(".")[0] == "apache_beam" for name in imports(path)):
        assert module_name(path).startswith(BEAM_USERS)


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_only_the_kubeflow_runner_knows_kfp(path):
    if any(name.split(".")[0] == "kfp" for name in imports(path)):
        assert module_name(path).startswith("pipeline.kubeflow")


def test_the_kubeflow_folder_is_no_package():
    # The Kubeflow SDK owns that import name.
    assert not list((ROOT / "kubeflow").rglob("__init__.py"))


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_keras_is_never_taken_from_tensorflow(path):
    # What `tf.keras` means depends on who was imported first.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "keras":
            assert not (isinstance(node.value, ast.Name) and node.value.id in {"tf", "tensorflow"})
    assert not {name for name in imports(path) if name.startswith("tensorflow.keras")}


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_no_node_builds_a_wheel_at_run_time(path):
    # `module_file=` makes TFX call pip, which a locked environment need not have.
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == "module_file"]
