"""Settings of the sandbox process: command line first, environment second, defaults last."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.faults import HANG_SECONDS

#: The one version of the provider's API that the sandbox speaks; other versions are refused.
API_VERSION = "2026-10-28.endive"

#: Waits in seconds before the second, third, … delivery of a webhook: about three days in all.
RETRY_SCHEDULE = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18000.0, 36000.0, 36000.0, 43200.0, 86400.0)


@dataclass(frozen=True, slots=True)
class Settings:
    """What one sandbox process needs to know. Times are seconds."""

    host: str
    port: int
    control_port: int
    data: Path
    public_url: str
    webhook_urls: tuple[str, ...]
    webhook_secret: str
    retry_schedule: tuple[float, ...]
    webhook_timeout: float
    hang_seconds: float
    lanes: int
    api_version: str


def read_settings(argv: Sequence[str] | None = None) -> Settings:
    """Read the settings from ``argv`` and the environment; exits with a usage message when they are wrong."""
    env = os.environ
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The world outside, for tests.")
    parser.add_argument("--host", default=env.get("SANDBOX_HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(env.get("SANDBOX_PORT", "8300")))
    parser.add_argument(
        "--control-port",
        type=int,
        default=int(env.get("SANDBOX_CONTROL_PORT", "0")),
        help="second listener that stays open while the first refuses; 0 takes any free port",
    )
    parser.add_argument("--data", type=Path, default=Path(env.get("SANDBOX_DATA", "var/sandbox")))
    parser.add_argument("--public-url", default=env.get("SANDBOX_PUBLIC_URL", ""))
    parser.add_argument(
        "--webhook-url", action="append", default=[], help="hears the events of every account"
    )
    parser.add_argument("--webhook-secret", default=env.get("SANDBOX_WEBHOOK_SECRET", ""))
    parser.add_argument("--webhook-retries", default=env.get("SANDBOX_WEBHOOK_RETRIES", ""), help="5,60,300")
    parser.add_argument("--webhook-timeout", type=float, default=10.0)
    parser.add_argument(
        "--hang-seconds",
        type=float,
        default=HANG_SECONDS,
        help="how long a caller hears nothing before the line closes, where a fault does not say",
    )
    parser.add_argument("--webhook-lanes", type=int, default=4, help="deliveries in flight at once")
    parser.add_argument("--api-version", default=env.get("SANDBOX_API_VERSION", API_VERSION))
    args = parser.parse_args(argv)
    schedule = tuple(float(part) for part in args.webhook_retries.split(",") if part) or RETRY_SCHEDULE
    return Settings(
        host=args.host,
        port=args.port,
        control_port=args.control_port,
        data=args.data,
        public_url=args.public_url,
        webhook_urls=tuple(args.webhook_url),
        webhook_secret=args.webhook_secret,
        retry_schedule=schedule,
        webhook_timeout=args.webhook_timeout,
        hang_seconds=args.hang_seconds,
        lanes=max(1, args.webhook_lanes),
        api_version=args.api_version,
    )
