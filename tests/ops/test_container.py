"""The image and the compose file, as far as they can be judged without an engine: nothing here was run."""

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from tests.architecture.environment import variables_listed

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "ops" / "container"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service.get("image") == "quittance"]
DOCKERFILE = (FOLDER / "Dockerfile").read_text()
MODULES = {"gunicorn": "gunicorn", "celery": "celery"}


def _words(command: Any) -> list[str]:
    """A command's words; those of a shell's line too."""
    words = shlex.split(command) if isinstance(command, str) else [str(word) for word in command]
    return [inner for word in words for inner in (word.split() if "manage.py" in word else [word])]


def _image_command() -> list[str]:
    return yaml.safe_load(re.search(r"(?m)^CMD (\[.*\])$", DOCKERFILE)[1])  # type: ignore[index,no-any-return]


def test_every_process_of_the_system_is_there() -> None:
    assert set(SERVICES) == {"db", "redis", "migrate", "web", "worker", "beat"}
    assert sorted(OURS) == ["beat", "migrate", "web", "worker"]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_one_that_the_settings_know(name: str) -> None:
    known = set(variables_listed((ROOT / ".env.example").read_text()))
    used = {variable.removesuffix("_FILE") for variable in SERVICES[name]["environment"]}
    assert used <= known


@pytest.mark.parametrize("name", OURS)
def test_what_is_read_from_files_is_mounted(name: str) -> None:
    service = SERVICES[name]
    wanted = {Path(value).name for key, value in service["environment"].items() if key.endswith("_FILE")}
    assert wanted == set(service["secrets"]) <= set(COMPOSE["secrets"])


@pytest.mark.parametrize("name", OURS)
def test_commands_exist(name: str) -> None:
    words = _words(SERVICES[name].get("command") or _image_command())
    if "manage.py" in words:
        commands = [words[place + 1] for place, word in enumerate(words) if word == "manage.py"]
        assert commands and set(commands) <= set(get_commands())
        return
    assert importlib.util.find_spec(MODULES[words[0]])
    for word in words:
        if word.startswith("config."):
            assert importlib.util.find_spec(word.partition(":")[0])


@pytest.mark.parametrize("name", [*OURS, "redis"])
def test_nothing_runs_as_root_or_writes_to_its_image(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in ("0", "root")
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "no-new-privileges:true" in service["security_opt"]


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_what_runs_for_long_is_looked_after(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[name]["restart"] == "unless-stopped"


def test_only_the_job_can_change_the_schema() -> None:
    holders = [name for name in OURS if "database_owner_url" in SERVICES[name]["secrets"]]
    assert holders == ["migrate"]
    for name in ("web", "worker", "beat"):
        assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_nothing_but_web_is_reached_from_outside_and_that_from_this_machine_alone() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}


def test_the_worker_is_started_as_the_launcher_starts_it() -> None:
    """One set of flags: what is tested by every run of the launcher is what production runs."""
    launcher = (ROOT / "ops" / "run.py").read_text()
    for word in SERVICES["worker"]["command"]:
        if word.startswith("--") and not word.startswith("--loglevel"):
            assert f'"{word}"' in launcher, word


def test_the_image_ends_as_a_user_and_copies_what_exists() -> None:
    assert re.findall(r"(?m)^USER (\S+)", DOCKERFILE)[-1] == "10001:10001"
    assert all(":" in image for image in re.findall(r"(?m)^FROM (\S+)", DOCKERFILE))
    for line in re.findall(r"(?m)^COPY (?!--from)(.+)$", DOCKERFILE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source


def test_no_secret_gets_into_the_image() -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().split()
    assert {".env", "var", "ops/container/secrets", ".git"} <= set(ignored)
    assert "ops/container/secrets/" in (ROOT / ".gitignore").read_text().split()
