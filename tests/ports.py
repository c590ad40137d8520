"""Ports for processes of tests that talk to each other."""

import socket


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody uses, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for free in sockets:
        free.bind(("localhost", 0))
    ports = [free.getsockname()[1] for free in sockets]
    for free in sockets:
        free.close()
    return ports
