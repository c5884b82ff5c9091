"""The launcher's small parts: what it reads, what it makes, what it refuses."""

import base64
import json
import os
import socket
import stat
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ops.cli import chaos_args, split
from ops.credentials import Credentials, load_or_create
from ops.envfile import load, parse
from ops.environment import DatabaseUrls, compose, user_environment
from ops.layout import Layout
from ops.lock import LauncherLock
from ops.messages import Progress, Stop, tail_of
from ops.ports import is_free, port_from, private_port, require_free
from ops.privilege import confinement_for
from ops.procfs import descendants, listener_on, process
from ops.run import write_dev_file
from ops.signals import Signals
from ops.venv import installer_environment, stamp


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(root=tmp_path, var=tmp_path / "var")
    layout.prepare()
    return layout


def test_env_file_understands_comments_quotes_and_export() -> None:
    text = """
    # a comment
    PORT=9000
    export NAME = plain # trailing
    QUOTED="a # b"
    SINGLE='x=y'
    EMPTY=
    URL=postgresql://a:b#c@h/d
    """
    assert parse(text) == {
        "PORT": "9000",
        "NAME": "plain",
        "QUOTED": "a # b",
        "SINGLE": "x=y",
        "URL": "postgresql://a:b#c@h/d",
    }


@pytest.mark.parametrize("line", ["no equals sign", "1ABC=x", 'OPEN="x', "A='x' y"])
def test_env_file_names_the_line_it_cannot_read(line: str) -> None:
    with pytest.raises(Stop, match="line 2"):
        parse(f"A=1\n{line}\n")


def test_env_file_may_be_missing(tmp_path: Path) -> None:
    assert load(tmp_path / ".env") == {}


def test_stamp_changes_with_a_requirement_file_that_is_included(tmp_path: Path) -> None:
    (tmp_path / "dev.txt").write_text("-r run.txt\npytest==1\n")
    (tmp_path / "run.txt").write_text("django==1\n")
    before = stamp([tmp_path / "dev.txt"])
    assert stamp([tmp_path / "dev.txt"]) == before
    (tmp_path / "run.txt").write_text("django==2\n")
    assert stamp([tmp_path / "dev.txt"]) != before


def test_installer_keeps_the_users_own_pip_configuration(tmp_path: Path) -> None:
    env = installer_environment({"HOME": "/home/x", "PIP_INDEX_URL": "https://i"}, spare_home=tmp_path / "h")
    assert env == {"HOME": "/home/x", "PIP_INDEX_URL": "https://i"}


def test_installer_gets_a_home_when_the_user_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os.path, "expanduser", lambda path: "~")
    env = installer_environment({}, spare_home=tmp_path / "home")
    assert env["HOME"] == str(tmp_path / "home")
    assert (tmp_path / "home").is_dir()


def test_a_port_in_use_is_refused_with_its_holder_and_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.ports.RELEASE_PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_free(port)
        assert str(os.getpid()) in listener_on(port)
        with pytest.raises(Stop) as refusal:
            require_free(port=port, variable="PORT", signals=Signals(), progress=Progress())
    assert f"port {port} is taken by" in str(refusal.value)
    assert "set PORT=" in str(refusal.value)
    require_free(port=port, variable="PORT", signals=Signals(), progress=Progress())


def test_a_private_port_is_the_one_of_last_time_when_it_is_free() -> None:
    port = private_port()
    assert private_port(preferred=port) == port
    with socket.create_server(("127.0.0.1", port)):
        assert private_port(preferred=port) != port


@pytest.mark.parametrize("text", ["0", "65536", "-1", "eighty", ""])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Stop, match="PORT"):
        port_from(text, variable="PORT")


def test_credentials_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    first = load_or_create(path)
    assert load_or_create(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    name, _, key = first.field_keys.partition(":")
    assert (name, len(base64.b64decode(key))) == ("k1", 32)
    assert Credentials.generate() != first


def test_damaged_credentials_are_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text("{")
    with pytest.raises(Stop, match="damaged"):
        load_or_create(path)
    assert path.read_text() == "{"


def test_the_administrators_authenticator_is_told_in_the_words_of_apps(layout: Layout) -> None:
    """Also where the demo data is older than this."""
    demo = {"admin_user": "admin", "admin_password": "p", "admin_totp_secret": "00ff" * 10}
    (layout.var / "demo.json").write_text(json.dumps(demo))
    facts = write_dev_file(layout=layout, port=1, sandbox_port=2)
    assert json.loads((layout.var / "dev.json").read_text()) == facts
    assert facts["admin_totp_secret"] == demo["admin_totp_secret"]
    address = urlsplit(facts["admin_otpauth_url"] or "")
    assert (address.scheme, address.netloc, address.path) == ("otpauth", "totp", "/Quittance:admin")
    told = parse_qs(address.query)
    assert told == {"secret": [base64.b32encode(b"\x00\xff" * 10).decode()], "issuer": ["Quittance"]}
    (layout.var / "demo.json").unlink()
    assert write_dev_file(layout=layout, port=1, sandbox_port=2)["admin_otpauth_url"] is None


def test_the_business_never_sees_the_owners_login(layout: Layout) -> None:
    credentials = Credentials.generate()
    env = compose(
        base={"PORT": "1", "DATABASE_OWNER_URL": "postgresql://leak", "PROVISION_URL": "postgresql://leak"},
        layout=layout,
        credentials=credentials,
        database=DatabaseUrls.local(port=5, credentials=credentials),
        redis_url="redis://r",
        launch_id="x",
        defaults={"PORT": "8000", "DEBUG": "True"},
    )
    assert "quittance_app" in env.app["DATABASE_URL"]
    assert not {"DATABASE_OWNER_URL", "PROVISION_URL", "READONLY_URL"} & set(env.app)
    assert "quittance_owner" in env.owner["DATABASE_OWNER_URL"]
    assert (env.app["PORT"], env.app["DEBUG"]) == ("1", "True")
    for password in (credentials.owner_password, credentials.superuser_password):
        assert not any(password in value for value in env.app.values())


def test_the_shell_wins_over_the_file_but_an_empty_variable_does_not(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    (layout.root / ".env").write_text("PORT=9000\nSANDBOX_PORT=9100\nQUITTANCE_VENV=/opt/venv\n")
    monkeypatch.delenv("QUITTANCE_VENV", raising=False)
    monkeypatch.setenv("PORT", "9001")
    monkeypatch.setenv("SANDBOX_PORT", "")
    found = user_environment(layout)
    assert (found["PORT"], found["SANDBOX_PORT"], found["QUITTANCE_VENV"]) == ("9001", "9100", "/opt/venv")


def test_a_mounted_login_is_the_one_that_everybody_uses(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The launcher must not start a server of its own beside the one that the processes would log in to."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        (tmp_path / name).write_text(f"postgresql://{name}@h/d\n")
        monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(f"{name}_FILE", str(tmp_path / name))
    found = user_environment(layout)
    assert not {"DATABASE_URL_FILE", "DATABASE_OWNER_URL_FILE"} & set(found)
    given = DatabaseUrls.given(found)
    assert given
    assert (given.app, given.owner) == (
        "postgresql://DATABASE_URL@h/d",
        "postgresql://DATABASE_OWNER_URL@h/d",
    )
    monkeypatch.setenv("REDIS_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(Stop, match="REDIS_URL_FILE"):
        user_environment(layout)


def test_a_given_database_needs_its_owner_too() -> None:
    assert DatabaseUrls.given({}) is None
    with pytest.raises(Stop, match="DATABASE_OWNER_URL"):
        DatabaseUrls.given({"DATABASE_URL": "postgresql://a:b@h/d"})


def test_the_lock_refuses_a_second_launcher_and_names_the_first(tmp_path: Path) -> None:
    first, second = LauncherLock(tmp_path / "lock"), LauncherLock(tmp_path / "lock")
    first.take(signals=Signals(), progress=Progress(), what="the launcher")
    with pytest.raises(Stop, match=f"already running here .process {os.getpid()}."):
        second.take(signals=Signals(), progress=Progress(), what="the launcher")
    first.release()
    second.take(signals=Signals(), progress=Progress(), what="the launcher")
    second.release()


def test_only_root_needs_a_confinement(tmp_path: Path) -> None:
    confinement = confinement_for(program=Path("/bin/ls"), data_dir=tmp_path / "data")
    confined = bool(confinement.prefix or confinement.identity)
    assert confined == (os.geteuid() == 0)


def test_options_after_the_separator_are_pytests() -> None:
    assert split(["test", "--no-check", "--", "-k", "a", "--", "b"]) == (
        ["test", "--no-check"],
        ["-k", "a", "--", "b"],
    )
    assert split(["run"]) == (["run"], [])


def test_a_log_tail_starts_where_the_process_did(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("old\n" * 5 + "new\n" * 3)
    assert tail_of(log, since=20) == "new\nnew\nnew"
    assert tail_of(log, lines=2) == "new\nnew"
    assert tail_of(tmp_path / "missing") == ""


def test_a_process_number_of_an_earlier_process_does_not_count_as_alive() -> None:
    me = process(os.getpid())
    assert me.alive()
    assert not type(me)(pid=me.pid, started=me.started - 1).alive()
    assert me in descendants(os.getppid())


def test_chaos_says_its_seed_and_takes_the_one_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    *_, seed = chaos_args([])
    assert f"make chaos ARGS={seed}" in capsys.readouterr().out
    assert chaos_args(["--hypothesis-seed=7", "-x"])[-2:] == ("--hypothesis-seed=7", "-x")
    assert capsys.readouterr().out == ""
