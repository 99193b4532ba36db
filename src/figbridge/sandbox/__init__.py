"""A real Kafka, Kafka Connect, PostgreSQL and MariaDB on this computer, without Docker: for trial, tests, benchmarks.

    with Sandbox(folder, ["kafka"]) as sandbox:
        producer = Producer({"bootstrap.servers": sandbox.bootstrap})

The versions are those of connect/pom.xml. Nothing here knows the bridge; only bootstrap and tests know what is here.
"""

from figbridge.sandbox.box import Sandbox, Seen
from figbridge.sandbox.server import Server, State

__all__ = ["Sandbox", "Seen", "Server", "State"]
