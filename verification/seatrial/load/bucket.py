"""Objects of a bucket as the place of baselines: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage.

An object is there whole or not at all, so that nobody sees half of one. In place of a lock, an object is written only
where it is still the one that was read (``If-Match``, ``If-None-Match``): who comes second reads again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from seatrial.load.place import PlaceProblem

if TYPE_CHECKING:
    from obstore import PutMode, UpdateVersion
    from obstore.store import ObjectStore

SCHEMES: Final = ("s3", "gs", "az")
TRIES: Final = 100
"""Times that others may have come first; one of them gets through each time."""


class Bucket:
    """Objects below an address such as ``s3://bucket/folder``. Who may is told by the variables of each cloud."""

    def __init__(self, url: str, store: ObjectStore | None = None) -> None:
        """``store`` is one that is open already. Raises PlaceProblem for an address of no known kind."""
        self._url = url.rstrip("/")
        self._store = store
        if url.partition("://")[0] not in SCHEMES and store is None:
            kinds = ", ".join(f"{scheme}://" for scheme in SCHEMES)
            raise PlaceProblem(f"{url}: expected a folder, or an address of {kinds}")

    def __str__(self) -> str:
        return self._url

    def names(self, environment: str = "") -> list[str]:
        """Of one environment or of all, in order."""
        import obstore

        with self._telling(self._url, "read"):
            pages = obstore.list(self._opened(), environment or None)
            paths = [item["path"] for page in pages for item in page]
        return sorted(path for path in paths if path.count("/") == 1 and path.endswith(".json"))

    def read(self, name: str) -> str | None:
        """The text, None where there is none."""
        found = self._read(name)
        return None if found is None else found[0]

    def change(self, name: str, how: Callable[[str | None], str]) -> None:
        """Write what ``how`` makes of it where nobody else did in between, else ask it again."""
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        for _ in range(TRIES):
            found = self._read(name)
            before = None if found is None else found[0]
            after = how(before)
            if after == before:
                return
            mode: PutMode = "create" if found is None else found[1]
            try:
                with self._telling(self.where(name), "written"):
                    obstore.put(self._opened(), name, after.encode(), mode=mode)
            except (AlreadyExistsError, PreconditionError):
                continue
            return
        raise PlaceProblem(f"{self.where(name)}: others changed it {TRIES} times in between: try again")

    def where(self, name: str) -> str:
        """The address of the object."""
        return f"{self._url}/{name}"

    def _read(self, name: str) -> tuple[str, UpdateVersion] | None:
        """The text, and which of it this is."""
        import obstore

        try:
            with self._telling(self.where(name), "read"):
                answer = obstore.get(self._opened(), name)
                content, meta = bytes(answer.bytes()), answer.meta
        except FileNotFoundError:
            return None
        seen: UpdateVersion = {}
        if meta["e_tag"] is not None:
            seen["e_tag"] = meta["e_tag"]
        if meta["version"] is not None:
            seen["version"] = meta["version"]
        try:
            return content.decode(), seen
        except UnicodeDecodeError as error:
            raise PlaceProblem(f"{self.where(name)}: cannot be read: {error}") from None

    def _opened(self) -> ObjectStore:
        if self._store is None:
            from datetime import timedelta

            from obstore.store import from_url

            self._store = from_url(
                self._url,
                # Without encryption only where somebody gives such an endpoint.
                client_options={"timeout": timedelta(seconds=20), "allow_http": True},
                retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=60)},
            )
        return self._store

    @contextmanager
    def _telling(self, what: str, done: str) -> Iterator[None]:
        """Failures of the bucket in words; that there is no such object, or another than was read, is none."""
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        try:
            yield
        except (AlreadyExistsError, PreconditionError, FileNotFoundError):
            raise
        except (BaseError, OSError, ValueError) as error:
            reason = str(error).partition("\n\nDebug source")[0]
            raise PlaceProblem(f"{what}: cannot be {done}: {' '.join(reason.split())}") from None
