"""From a host to the addresses that we may connect to, asked once per connection."""

import socket

from core.transactions import forbids_transaction
from events.targets import Target, judge_address

__all__ = ["NameUnknown", "Place", "resolve"]

Place = tuple[str, bool]
_MOST_PLACES = 3


class NameUnknown(OSError):
    """The host's name has no address now."""


@forbids_transaction
def resolve(target: Target) -> list[Place]:
    """Return the target's addresses in the resolver's order, each with whether it is public.

    One address that we may not reach refuses the whole name, so that a name cannot mix them in. Raises
    UrlNotAllowed and NameUnknown.
    """
    try:
        answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NameUnknown(f"{target.host} could not be resolved") from error
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    if not addresses:
        raise NameUnknown(f"{target.host} has no address")
    return [(address, judge_address(target, address)) for address in addresses][:_MOST_PLACES]
