"""The configuration: what wins over what, and one clear message per mistake."""

import re

import pytest
import yaml

from components.errors import UserError
from pipeline.config.annotated_yaml import annotated_yaml
from pipeline.config.config import Config, fields, load_config, to_yaml
from pipeline.config.presets import preset_names, preset_text


def test_without_anything_all_is_default():
    assert load_config() == Config()


def test_later_sources_win(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("windows: {L: 7, T: 2}\ntrainer.epochs: 4\n")
    config = load_config("ml-1m-caser", file, ["windows.T=1"])
    assert (config.windows.L, config.windows.T, config.trainer.epochs) == (7, 1, 4)
    assert config.histories.min_item_interactions == 5  # of the preset


def test_a_section_on_the_command_line_sets_its_keys():
    assert load_config(overrides=["windows={L: 9, T: 4}"]).windows.T == 4


@pytest.mark.parametrize(
    ("text", "separator"),
    [("::", "::"), (r'"\t"', "\t"), ("';'", ";"), ("|", "|"), ("#", "#"), ("\t", "\t"), (",", ",")],
)
def test_separators_can_be_set_on_the_command_line(text, separator):
    assert load_config(overrides=[f"data.separator={text}"]).data.separator == separator


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_valid_and_says_its_purpose(name):
    load_config(name)
    assert preset_text(name).startswith("# Purpose: ")


def test_what_is_written_is_read_back(tmp_path):
    config = load_config("movielens-dat", overrides=["seed=7", "model.heights=[2, 3]", "data.time_column=null"])
    for text in (to_yaml(config), annotated_yaml(config)):
        file = tmp_path / "config.yaml"
        file.write_text(text)
        assert load_config(file=file) == config


def test_every_setting_is_described_in_the_listing():
    assert len(re.findall(r"^ *[\w]+: .+$", annotated_yaml(Config()), re.MULTILINE)) == len(fields())


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["trainer.epoch=3"], ["--set trainer.epoch=3", "`trainer.epochs`"]),
        (["epochs=3"], ["unknown setting `epochs`", "`trainer.epochs`"]),
        (["trainer.epochs=0"], ["`trainer.epochs`", "greater than or equal to 1", "Received: 0"]),
        (["trainer.epochs=many"], ["`trainer.epochs`", "valid integer", "'many'"]),
        (["split.strategy=random"], ["`split.strategy`", "'ratio'", "'leave_last'", "'random'"]),
        (["split.train=0.5"], ["split", "add up to 1", "0.8"]),
        (["model.heights=[1, 9]"], ["`model.heights`", "`windows.L`=5"]),
        (["trainer"], ["key=value"]),
        (["windows=5"], ["`windows` is a section", "L, T"]),
        (["trainer.epochs=0", "windows.L=0"], ["`trainer.epochs`", "`windows.L`"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_is_allowed(overrides, parts):
    with pytest.raises(UserError) as mistake:
        load_config(overrides=overrides)
    for part in parts:
        assert part in str(mistake.value)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("trainer:\n  epochs: 1\n  epochs: 2\n", ":3: `trainer.epochs` is set twice"),
        ("trainer: [", "invalid YAML"),
        ("- a\n- b\n", "expected a mapping of sections"),
        ("trainer:\n  epocs: 1\n", ":2: unknown setting `trainer.epocs`"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(tmp_path, text, part):
    file = tmp_path / "my.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=re.escape(part)):
        load_config(file=file)


def test_an_empty_file_and_an_empty_section_change_nothing(tmp_path):
    file = tmp_path / "my.yaml"
    for text in ("", "# nothing\n", "trainer:\n  # epochs: 3\n"):
        file.write_text(text)
        assert load_config(file=file) == Config()


def test_unknown_presets_and_missing_files_are_named(tmp_path):
    with pytest.raises(UserError, match="Did you mean `movielens-dat`"):
        load_config("movielens-data")
    with pytest.raises(UserError, match=r"Cannot read .*: No such file"):
        load_config(file=tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"data: {user_column: caf\xe9}")
    with pytest.raises(UserError, match="not UTF-8"):
        load_config(file=tmp_path / "latin.yaml")


def test_the_listing_is_yaml():
    assert set(yaml.safe_load(annotated_yaml(Config()))) == set(Config.model_fields)
