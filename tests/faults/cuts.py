"""Ending a TCP connection rudely."""

import socket

__all__ = ["reset"]


def reset(line: socket.socket) -> None:
    """Close it with a reset, as the machine of a dead process does."""
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    line.close()
