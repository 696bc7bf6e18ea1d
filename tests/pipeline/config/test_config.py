"""The configuration: what wins over what, and one clear message per mistake."""

import re

import pytest
import yaml

from components.errors import UserError
from pipeline.config.annotated_yaml import annotated_yaml
from pipeline.config.config import Config, fields, load_config, to_yaml
from pipeline.config.presets import preset_names, preset_text


def test_config_without_sources_has_defaults():
    assert load_config() == Config()


def test_later_sources_take_precedence(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("windows: {L: 7, T: 2}\ntrainer.epochs: 4\n")
    config = load_config("ml-1m-caser", file, ["windows.T=1"])
    assert (config.windows.L, config.windows.T, config.trainer.epochs) == (7, 1, 4)
    assert config.histories.min_item_interactions == 5  # of the preset


def test_section_on_the_command_line_sets_its_keys():
    assert load_config(overrides=["windows={L: 9, T: 4}"]).windows.T == 4


@pytest.mark.parametrize(
    ("text", "separator"),
    [("::", "::"), (r'"\t"', "\t"), ("';'", ";"), ("|", "|"), ("#", "#"), ("\t", "\t"), (",", ",")],
)
def test_separator_can_be_set_on_the_command_line(text, separator):
    assert load_config(overrides=[f"data.separator={text}"]).data.separator == separator


@pytest.mark.parametrize("name", preset_names())
def test_preset_is_valid(name):
    load_config(name)
    assert preset_text(name).startswith("# Purpose: ")


def test_written_config_is_read_back(tmp_path):
    config = load_config("movielens-dat", overrides=["seed=7", "model.heights=[2, 3]", "data.time_column=null"])
    for text in (to_yaml(config), annotated_yaml(config)):
        file = tmp_path / "config.yaml"
        file.write_text(text)
        assert load_config(file=file) == config


def test_annotated_yaml_has_every_setting():
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
def test_invalid_override_names_place_with_allowed_values(overrides, parts):
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
def test_invalid_file_names_the_line(tmp_path, text, part):
    file = tmp_path / "my.yaml"
    file.write_text(text)
    with pytest.raises(UserError, match=re.escape(part)):
        load_config(file=file)


def test_empty_file_or_section_changes_nothing(tmp_path):
    file = tmp_path / "my.yaml"
    for text in ("", "# nothing\n", "trainer:\n  # epochs: 3\n"):
        file.write_text(text)
        assert load_config(file=file) == Config()


def test_unreadable_config_is_one_message(tmp_path):
    with pytest.raises(UserError, match="Did you mean `movielens-dat`"):
        load_config("movielens-data")
    with pytest.raises(UserError, match=r"Cannot read .*: No such file"):
        load_config(file=tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"data: {user_column: caf\xe9}")
    with pytest.raises(UserError, match="not UTF-8"):
        load_config(file=tmp_path / "latin.yaml")


def test_annotated_yaml_is_yaml():
    assert set(yaml.safe_load(annotated_yaml(Config()))) == set(Config.model_fields)


@pytest.mark.parametrize(
    ("override", "key", "value"),
    [
        ("data.user_column=0", "user_column", "0"),
        ("data.user_column=007", "user_column", "007"),
        ("data.user_column=yes", "user_column", "yes"),
        ("data.user_column=1e3", "user_column", "1e3"),
        ("data.user_column='a b'", "user_column", "a b"),
        ("data.time_column=null", "time_column", None),
        ("data.time_column=", "time_column", None),
        ("data.null_values=[NULL, 0, '']", "null_values", ["NULL", "0", ""]),
        ("data.separator=;", "separator", ";"),
        ("data.time_format=%d/%m/%Y %H:%M", "time_format", "%d/%m/%Y %H:%M"),
    ],
)
def test_settings_of_text_are_taken_as_they_are_written(override, key, value):
    assert getattr(load_config(overrides=[override]).data, key) == value


def test_text_of_a_file_is_taken_as_it_is_written(tmp_path):
    (tmp_path / "c.yaml").write_text("data:\n  user_column: 0\n  event_column: 02\n  events: [1, 02, null]\n")
    data = load_config(file=tmp_path / "c.yaml").data
    assert (data.user_column, data.event_column, data.events) == ("0", "02", ["1", "02", "null"])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("data.time_format=DD/MM/YYYY", "pattern of strptime"),
        ("data.time_format=%Q", "pattern of strptime"),
        ("data.encoding=latin-99", "an encoding that Python knows"),
        ("data.encoding=base64", "an encoding that Python knows"),
        ("data.user_column=[a, b]", "data.user_column"),
    ],
)
def test_invalid_setting_of_the_data_is_one_message(override, said):
    with pytest.raises(UserError, match=said):
        load_config(overrides=[override])
