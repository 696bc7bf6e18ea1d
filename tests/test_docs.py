"""The documentation agrees with the code: commands, targets, modules, paths and examples."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path

import click
import pytest

from pipeline.cli.main import main
from pipeline.config.reference import reference_page
from tests.support.documentation import PAGES, ROOT, code_blocks, shell_lines

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
LINES = list(shell_lines())
INLINE_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def words(line: str) -> list[str]:
    """The program and its arguments, without a comment and a redirection."""
    return shlex.split(re.sub(r" > \S+$", "", line), comments=True)


def commands(name: str) -> list[pytest.param]:
    """Arguments of every documented command of this name, in shell blocks and in running text."""
    actual = {}
    for _, line in LINES:
        program, *arguments = words(line) or [""]
        if Path(program).name == name:
            actual.setdefault(" ".join(arguments), arguments)
    for page in PAGES:
        for text in INLINE_CODE.findall(page.read_text(encoding="utf-8")):
            if text.startswith(f"{name} ") and "..." not in text:
                actual.setdefault(text[len(name) + 1 :], words(text)[1:])
    return [pytest.param(arguments, id=key) for key, arguments in actual.items()]


def leaf(arguments: list[str]) -> tuple[click.Command, click.Context, list[str]]:
    """The subcommand that the words name, with its own arguments."""
    command, context = main, click.Context(main, info_name="caser")
    while isinstance(command, click.Group) and arguments:
        name, *arguments = arguments
        command = command.get_command(context, name)
        assert command is not None, f"{context.command_path} has no command {name}"
        context = click.Context(command, info_name=name, parent=context)
    return command, context, arguments


@pytest.mark.parametrize("arguments", commands("caser"))
def test_documented_caser_command_has_only_known_options(arguments):
    command, context, rest = leaf(arguments)
    if not isinstance(command, click.Group):
        _, unexpected, _ = command.make_parser(context).parse_args(args=list(rest))
        assert not unexpected


@pytest.mark.parametrize("arguments", commands("make"))
def test_documented_make_target_exists(arguments):
    targets = [argument for argument in arguments if "=" not in argument and not argument.startswith("-")]
    assert targets
    assert all(re.search(rf"^{target}:", MAKEFILE, re.MULTILINE) for target in targets)


def documented_modules() -> list[str]:
    texts = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    return sorted(set(re.findall(r"python -m (benchmarks[.\w]+)", texts)))


@pytest.mark.parametrize("module", documented_modules())
def test_documented_module_exists(module):
    assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file()


def documented_paths() -> list[pytest.param]:
    """Paths of the repository that the pages name in code spans."""
    tops = ("pipeline", "components", "schemas", "tests", "kubeflow", "benchmarks", "docs")
    actual = {}
    for page in PAGES:
        for text in INLINE_CODE.findall(page.read_text(encoding="utf-8")):
            if re.fullmatch(rf"({'|'.join(tops)})/[\w./-]*", text):
                actual.setdefault(text, page.relative_to(ROOT))
    return [pytest.param(path, id=path) for path in actual]


@pytest.mark.parametrize("path", documented_paths())
def test_documented_path_exists(path):
    assert (ROOT / path).exists()


def test_links_between_pages_lead_to_existing_files():
    broken = []
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append((str(page.relative_to(ROOT)), target))
    assert not broken


def test_configuration_page_is_generated_from_the_settings():
    assert (ROOT / "docs/configuration.md").read_text(encoding="utf-8") == reference_page()


def imports(block: str) -> list[tuple[str, str]]:
    actual = re.findall(r"^from ((?:components|pipeline|schemas)[\w.]*) import (.+)$", block, re.MULTILINE)
    return [(module, name.strip()) for module, names in actual for name in names.split(",")]


@pytest.mark.parametrize("block", code_blocks("python"), ids=lambda block: block.page)
def test_python_example_imports_existing_names(block):
    compile(block.text, block.page, "exec")
    for module, name in imports(block.text):
        assert hasattr(importlib.import_module(module), name), (module, name)


def test_components_example_connects_the_components():
    example, _ = [block for block in code_blocks("python") if block.page == "docs/components.md"]
    names: dict[str, object] = {}
    exec(example.text, names)
    assert set(names["trainer"].outputs) == {"model", "model_run"}


def test_keras_example_learns_what_it_says(capsys):
    _, example = [block for block in code_blocks("python") if block.page == "docs/components.md"]
    names: dict[str, object] = {}
    exec(example.text, names)
    assert capsys.readouterr().out.splitlines()[-1] == "8"
    assert names["scores"].shape == (1, 20)
    losses = [epoch["loss"] for epoch in names["epochs"]]
    assert losses[-1] < losses[0] / 2
