"""Changes under way: how far each is, for the pages that show it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clusterqa.corpus.sync import Progress
from clusterqa.errors import ClusterQAError
from clusterqa.staff.drafts import Trouble

FAULT = Trouble("fault", "The server made a mistake; its log says which.")


@dataclass(frozen=True, slots=True)
class Job:
    """
    A change under way or just done. `stage` is "wait", "read", "recognise", "encode", "done" or "failed", or, of a file that
    is read, as `Readings.job` says; `done` of `total` counts files, pages or texts of the stage. `trouble` says why it failed.
    """

    stage: str = "wait"
    done: int = 0
    total: int = 0
    trouble: Trouble | None = None

    @property
    def over(self) -> bool:
        return self.stage in ("done", "failed")


class Stopped(Exception):
    """The server is going down: what was begun is given up before its transaction, and begun again at the next start."""


class Jobs:
    """The latest few hundred jobs, by the id of their draft or document. Thread-safe."""

    def __init__(self, stopping: threading.Event) -> None:
        """Once `stopping` is set, work that tells its progress ends with Stopped."""
        self._stopping = stopping
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> Job | None:
        """The job of a draft or document, by its id; None when there was none since the server started."""
        with self._lock:
            return self._jobs.get(key)

    def wait(self, key: str, seconds: float) -> Job | None:
        """The job when it is over, or as it stands after so many seconds."""
        end = time.monotonic() + seconds
        while (job := self.get(key)) is not None and not job.over and time.monotonic() < end:
            time.sleep(0.05)
        return job

    def set(self, key: str, job: Job) -> None:
        with self._lock:
            self._jobs.pop(key, None)
            self._jobs[key] = job
            while len(self._jobs) > 500:
                self._jobs.pop(next(iter(self._jobs)))

    def progress(self, key: str) -> Progress:
        def told(stage: str, done: int, total: int) -> None:
            if self._stopping.is_set():
                raise Stopped
            self.set(key, Job(stage, done, total))

        return told

    @contextmanager
    def running(self, key: str) -> Iterator[None]:
        """A job from its beginning to "done" or "failed"; what is raised goes on."""
        self.set(key, Job("read"))
        try:
            yield
        except ClusterQAError as error:
            self.set(key, Job("failed", trouble=Trouble.of(error)))
            raise
        except Stopped:
            raise
        except Exception:
            self.set(key, Job("failed", trouble=FAULT))
            raise
        self.set(key, Job("done"))

    def check_stopped(self, stage: str, done: int, total: int) -> None:
        """A progress that only looks whether the server is going down."""
        if self._stopping.is_set():
            raise Stopped
