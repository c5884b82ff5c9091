"""Typed reads of the environment: a typo stops the start, and says what to do."""

from pathlib import Path

import pytest

from config.env import ConfigurationError, database_from_url, env_bool, env_float, env_int, env_list, env_str


def test_a_missing_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOMETHING", raising=False)
    with pytest.raises(ConfigurationError, match="SOMETHING"):
        env_str("SOMETHING")
    assert env_str("SOMETHING", "else") == "else"


def test_a_secret_may_be_a_mounted_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("SOMETHING_FILE", str(tmp_path / "secret"))
    assert env_str("SOMETHING") == "s3cret"


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some that start processes cannot leave a variable out, only empty it."""
    monkeypatch.setenv("SOMETHING", "")
    with pytest.raises(ConfigurationError, match="SOMETHING is not set"):
        env_str("SOMETHING")
    assert env_str("SOMETHING", "else") == "else"
    assert (env_int("SOMETHING", 3), env_float("SOMETHING", 0.5)) == (3, 0.5)
    assert env_bool("SOMETHING", True) is True
    assert env_list("SOMETHING", "a,b") == ["a", "b"]


@pytest.mark.parametrize(("text", "value"), [("True", True), ("1", True), ("False", False), ("0", False)])
def test_booleans(monkeypatch: pytest.MonkeyPatch, text: str, value: bool) -> None:
    monkeypatch.setenv("SOMETHING", text)
    assert env_bool("SOMETHING") is value


@pytest.mark.parametrize("text", ["yes", "true", "on", "ture", " True"])
def test_what_is_no_boolean(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("SOMETHING", text)
    with pytest.raises(ConfigurationError):
        env_bool("SOMETHING")


def test_numbers_and_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOMETHING", "a, b,,c ")
    assert env_list("SOMETHING") == ["a", "b", "c"]
    for read in (env_int, env_float):
        with pytest.raises(ConfigurationError):
            read("SOMETHING", 1)


def test_the_database_is_postgresql() -> None:
    read = database_from_url("postgresql://us%40er:p%2Fw@h:5433/name?sslmode=require")
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"]) == ("us@er", "p/w", "h", "5433")
    assert (read["NAME"], read["OPTIONS"]) == ("name", {"sslmode": "require"})
    with pytest.raises(ConfigurationError):
        database_from_url("sqlite:///x")
