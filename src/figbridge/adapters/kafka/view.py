"""The committed state of a group, seen from outside: read from its changelog, and brought up to date at each look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from figbridge.adapters.kafka.cache import Cache
from figbridge.adapters.kafka.config import Cluster
from figbridge.adapters.kafka.restore import Follower
from figbridge.adapters.kafka.topics import Topics


class View:
    """Look at one changelog; empty as long as it does not exist. The first look reads all of it."""

    def __init__(self, cluster: Cluster, topics: Topics, changelog: str) -> None:
        self._cluster = cluster
        self._topics = topics
        self._changelog = changelog
        self._cache: Cache | None = None
        self._follower: Follower | None = None

    def read(self, space: str, groups: Iterable[str]) -> dict[str, dict[str, bytes]]:
        """Return group → member → value for the groups that exist."""
        cache = self._current()
        return cache.state.read(space, groups) if cache is not None else {}

    def scan(self, space: str) -> Iterator[tuple[str, str, bytes]]:
        """Yield (group, member, value) of a whole space, in order of group and member."""
        cache = self._current()
        if cache is not None:
            yield from cache.state.scan(space)

    def count(self, space: str) -> int:
        """Return the number of entries of a space."""
        cache = self._current()
        return cache.state.count(space) if cache is not None else 0

    def close(self) -> None:
        """Let go of the copy."""
        if self._follower is not None:
            self._follower.close()
        if self._cache is not None:
            self._cache.close()
        self._cache = self._follower = None

    def _current(self) -> Cache | None:
        if self._changelog not in self._topics.need([self._changelog]):
            return None
        if self._cache is None or self._follower is None:
            self._cache = Cache(None)
            self._follower = Follower(self._cluster, self._topics, self._changelog, self._cache)
        self._follower.catch_up()
        return self._cache
