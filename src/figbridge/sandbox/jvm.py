"""What the two servers in Java share: how Java is called, and where it logs to."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from figbridge.errors import Unreachable
from figbridge.sandbox import java
from figbridge.sandbox.java import Java

_LEFT = "classes.jsa"

# Everything goes to standard output, which is the server's log. The settings of every client and each call of the REST
# interface, which are at INFO, would bury the lines that matter.
_LOGGING = """\
status = warn
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %p %c{1} %X{connector.context}%m%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
logger.values.name = org.apache.kafka.common.config.AbstractConfig
logger.values.level = warn
logger.consumer.name = org.apache.kafka.clients.consumer.ConsumerConfig
logger.consumer.level = warn
logger.producer.name = org.apache.kafka.clients.producer.ProducerConfig
logger.producer.level = warn
logger.admin.name = org.apache.kafka.clients.admin.AdminClientConfig
logger.admin.level = warn
logger.rest.name = org.apache.kafka.connect.runtime.rest.RestServer
logger.rest.level = warn
"""


class Jvm:
    """Call classes of Kafka's libraries. Java is looked for when it is first needed, so that a look at what runs, or
    an end to it, needs none.
    """

    def __init__(self, libraries: Path) -> None:
        self._libraries = libraries

    @cached_property
    def _java(self) -> Java:
        return java.find()

    def command(self, folder: Path, main: str, *arguments: str, heap_mb: int) -> list[str]:
        """Write the logging settings into a server's folder and return the words that run a class.

        A server that ends in order leaves an archive of its classes, in the form in which Java has them in memory, and
        `keep_classes` puts it beside the libraries: with it the next one starts in half the time.
        """
        logging = folder / "log4j2.properties"
        logging.write_text(_LOGGING, encoding="utf-8")
        archive = self._archive(main)
        made = f"-XX:SharedArchiveFile={archive}" if archive.exists() else f"-XX:ArchiveClassesAtExit={folder / _LEFT}"
        return [
            str(self._java.program),
            f"-Xmx{heap_mb}m",
            "-XX:+UseSerialGC",  # a small heap on a computer that has other work: no threads for collecting
            "-XX:+ExitOnOutOfMemoryError",
            "-Xshare:auto",
            made,
            "-Xlog:disable",  # what Java says of the archive is of no interest: without it, it is only slower
            "-Xlog:all=error:stderr",
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={logging.as_uri()}",
            "-cp",
            f"{self._libraries}/*",
            main,
            *arguments,
        ]

    def keep_classes(self, folder: Path, main: str) -> None:
        """Keep the archive that a server left when it ended in order; do nothing when it left none."""
        left = folder / _LEFT
        if not left.exists():
            return
        with suppress(OSError, Unreachable):  # a cache that is read only, a Java that is gone: it is a gain, not a need
            archive = self._archive(main)
            if not archive.exists():
                part = archive.with_name(f"{archive.name}.{os.getpid()}")
                shutil.move(left, part)
                part.replace(archive)
        left.unlink(missing_ok=True)

    def _archive(self, main: str) -> Path:
        """Return where the archive of one program on one Java is kept."""
        runtime = hashlib.sha256(f"{self._java.home} {self._java.version}".encode()).hexdigest()[:8]
        return self._libraries.with_name(f"{main.rpartition('.')[2].lower()}-{runtime}.jsa")


def properties(settings: dict[str, object]) -> str:
    """Return the text of a Java properties file; a backslash in a value is escaped, as the form asks."""
    return "".join(f"{name}={str(value).replace(chr(92), chr(92) * 2)}\n" for name, value in settings.items())
