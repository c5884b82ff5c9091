"""`make run`: the whole system on one machine."""

from __future__ import annotations

import http.client
import json
import shlex
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from ops.credentials import write_private
from ops.demo import authenticator, connect_sandbox
from ops.environment import Environment, compose
from ops.layout import Layout
from ops.messages import Progress
from ops.ports import HOST, port_from, require_free
from ops.procfs import PROC, descendants
from ops.session import Session, command_exists, opened, own_path
from ops.supervisor import ChildSpec
from ops.venv import VirtualEnvironment

SHELL_NAMES = (
    *("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS", "DEBUG", "ALLOWED_HOSTS", "PUBLIC_URL"),
    *("WEBHOOK_ALLOWED_NETWORKS", "EVENT_STREAM", "EVENT_STREAM_REDIS_URL"),
    *("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_TOPIC", "KAFKA_OPTIONS"),
)
DEV_FILE_KEYS = (
    "api_url",
    "api_key",
    "webhook_secret",
    "admin_url",
    "admin_user",
    "admin_password",
    "admin_otpauth_url",
    "sandbox_url",
    "store_url",
)


def run(*, layout: Layout) -> int:
    """Start everything, say where it is, keep it running until Ctrl-C or SIGTERM."""
    with opened(layout=layout, what="the launcher") as session:
        port = port_from(session.user_env.get("PORT") or "8000", variable="PORT")
        sandbox_port = port_from(session.user_env.get("SANDBOX_PORT") or "8100", variable="SANDBOX_PORT")
        _check_ports(session, port=port, sandbox_port=sandbox_port)
        venv = session.virtual_environment(development=False)
        env = prepare(session, venv=venv, port=port, sandbox_port=sandbox_port)
        start_processes(session, venv=venv, env=env, port=port, sandbox_port=sandbox_port)
        facts = write_dev_file(layout=layout, port=port, sandbox_port=sandbox_port)
        connect_sandbox(facts=facts)
        _announce(session.progress, facts=facts, layout=layout)
        session.supervisor.watch()
        print(flush=True)
        with session.progress.step("stopping"):
            session.supervisor.stop_all()
    return 0


def has_sandbox(root: Path) -> bool:
    """Whether the tree holds the sandbox process."""
    return (root / "sandbox" / "__main__.py").exists()


def _check_ports(session: Session, *, port: int, sandbox_port: int) -> None:
    wanted = {"PORT": port}
    if has_sandbox(session.layout.root):
        wanted["SANDBOX_PORT"] = sandbox_port
    for variable, number in wanted.items():
        require_free(port=number, variable=variable, signals=session.signals, progress=session.progress)


def prepare(
    session: Session,
    *,
    venv: VirtualEnvironment,
    port: int,
    sandbox_port: int,
    more: Mapping[str, str] | None = None,
) -> Environment:
    """Servers, roles, schema and demo data; return what the processes get, `more` among it."""
    layout = session.layout
    database = session.start_database(venv=venv)
    redis_url = session.start_broker(venv=venv)
    env = compose(
        base=session.user_env | {"PATH": own_path(venv)},
        layout=layout,
        credentials=session.credentials,
        database=database,
        redis_url=redis_url,
        launch_id=session.launch_id,
        defaults={
            "DEBUG": "True",
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "PUBLIC_URL": f"http://{HOST}:{port}",
            "HOOKS_DIR": str(layout.var / "hooks"),
            "PROMETHEUS_MULTIPROC_DIR": str(layout.var / "metrics"),
            "PORT": str(port),
            "SANDBOX_PORT": str(sandbox_port),
            # The store of the sandbox listens on this machine.
            "WEBHOOK_ALLOWED_NETWORKS": f"{HOST}/32",
            **(more or {}),
        },
    )
    session.provision(venv=venv, env=env.owner)
    with session.progress.step("migrating the database"):
        session.manage(venv=venv, env=env.owner, command=["migrate", "--no-input", "-v", "1"])
    if command_exists(root=layout.root, name="demo_data"):
        with session.progress.step("demo data"):
            demo = ["demo_data", f"--sandbox-url=http://{HOST}:{sandbox_port}"]
            demo.append(f"--file={layout.var / 'demo.json'}")
            session.manage(venv=venv, env=env.app, command=demo)
    _write_shell_file(layout, env=env.app)
    return env


def _write_shell_file(layout: Layout, *, env: dict[str, str]) -> None:
    """var/env.sh: with it, a shell runs `manage.py` as the running system would."""
    lines = [f"export {name}={shlex.quote(env[name])}" for name in SHELL_NAMES if name in env]
    write_private(layout.var / "env.sh", "\n".join(lines) + "\n")


def start_processes(
    session: Session, *, venv: VirtualEnvironment, env: Environment, port: int, sandbox_port: int
) -> None:
    """Start the project's processes and wait until each can be used."""
    specs = process_specs(layout=session.layout, venv=venv, env=env.app, port=port, sandbox_port=sandbox_port)
    counted = Path(env.app["PROMETHEUS_MULTIPROC_DIR"])
    # What processes that are gone have counted is not of this run.
    for old in counted.glob("*.db"):
        old.unlink()
    with session.progress.step(f"starting {', '.join(spec.name for spec in specs)}"):
        started = [session.supervisor.launch(spec) for spec in specs]
        for child in started:
            session.supervisor.await_ready(child)


def process_specs(
    *, layout: Layout, venv: VirtualEnvironment, env: dict[str, str], port: int, sandbox_port: int
) -> list[ChildSpec]:
    """The project's processes in the order in which they start."""

    python = str(venv.python)
    celery = [python, "-m", "celery", "-A", "config.celery"]
    # No talk with other workers: it costs a second at every start, and nothing here listens to it.
    worker = ["worker", "--pool=prefork", "--concurrency=2", "--without-mingle", "--without-gossip"]
    beat = ["beat", f"--schedule={layout.var / 'beat-schedule'}", "--pidfile="]
    web = [python, "-m", "gunicorn", "config.wsgi:application", f"--bind={HOST}:{port}"]
    web += ["--worker-class=gthread", "--workers=2", "--threads=4", "--graceful-timeout=5"]
    # What the limits of the API must know of the two numbers.
    web_env = {"WEB_PROCESSES": "2", "WEB_IN_FLIGHT": "4"} | env
    # Its control socket would lie in the home folder, which may be missing, one for all clones.
    web += ["--no-control-socket"]

    def spec(name: str, argv: list[str], *, ready: Callable[[int], bool] | None = None) -> ChildSpec:
        return ChildSpec(
            name=name,
            argv=argv,
            env=web_env if name == "web" else env,
            cwd=layout.root,
            ready=ready,
            ready_seconds=90.0,
            stop_seconds=8.0,
        )

    specs = []
    if has_sandbox(layout.root):
        data = layout.var / "sandbox"
        data.mkdir(exist_ok=True)
        command = [python, "-m", "sandbox", "--port", str(sandbox_port), "--data", str(data)]
        specs.append(spec("sandbox", command, ready=lambda _: listens(sandbox_port)))
    specs.append(spec("worker", [*celery, *worker, "--loglevel=INFO"], ready=has_children))
    specs.append(spec("beat", [*celery, *beat, "--loglevel=INFO"]))
    specs.append(spec("web", web, ready=lambda _: answers(port, "/readyz")))
    return specs


def has_children(pid: int) -> bool:
    """Whether a worker has its pool: it forks when the settings are loaded and the broker answers."""
    return bool(descendants(pid)) or not PROC.is_dir()


def listens(port: int) -> bool:
    """Whether a server accepts connections."""
    try:
        socket.create_connection((HOST, port), timeout=1.0).close()
    except OSError:
        return False
    return True


def answers(port: int, path: str) -> bool:
    """Whether the server says 200 to a GET."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5.0)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def write_dev_file(*, layout: Layout, port: int, sandbox_port: int) -> dict[str, str | None]:
    """Write var/dev.json, for scripts that drive the system: what demo_data left in var/demo.json, and
    the addresses."""
    try:
        demo = json.loads((layout.var / "demo.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        demo = {}
    sandbox = f"http://{HOST}:{sandbox_port}" if has_sandbox(layout.root) else None
    app = authenticator(demo) if "admin_totp_secret" in demo else None
    known = {
        "admin_otpauth_url": app.url if app else None,
        "api_url": f"http://{HOST}:{port}",
        "admin_url": f"http://{HOST}:{port}/admin/",
        "sandbox_url": sandbox,
        "store_url": f"{sandbox}/store/" if sandbox else None,
    }
    facts = {key: demo.get(key) or known.get(key) for key in DEV_FILE_KEYS}
    facts.update({key: value for key, value in demo.items() if key not in facts})
    # The addresses of this run, whatever an earlier one wrote.
    facts.update(known)
    write_private(layout.var / "dev.json", json.dumps(facts, indent=2) + "\n")
    return facts


def _announce(progress: Progress, *, facts: dict[str, str | None], layout: Layout) -> None:
    progress.say("everything is up")
    lines = [("API", facts["api_url"]), ("Admin", facts["admin_url"])]
    if facts["admin_user"]:
        lines.append(("Login", f"{facts['admin_user']} / {facts['admin_password']}"))
    if facts.get("admin_totp_secret"):
        lines.append(("Codes", f"put {authenticator(facts).secret} into an authenticator app"))
    lines += [("Sandbox", facts["sandbox_url"]), ("Store", facts["store_url"])]
    lines += [("For scripts", str(layout.var / "dev.json")), ("Logs", str(layout.log_dir))]
    print()
    for label, value in lines:
        if value:
            print(f"    {label:<12} {value}")
    print("\n    Ctrl-C stops everything.\n", flush=True)
