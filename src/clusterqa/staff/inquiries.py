"""Everything the desk keeps about questions, put together: what was asked in vain, what was decided, what was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from clusterqa.journal import Journal
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Home
from clusterqa.staff.answers import Answering, Answers, Publish
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database
from clusterqa.staff.demand import Decisions, Demand, Group
from clusterqa.store import open_store


class Inquiries:
    """Lives as long as the server; `start` and `stop` bracket its life. Thread-safe."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        journal: Journal,
        home: Home,
        publish: Publish,
        assistant: Callable[[], KnowledgeBase],
    ) -> None:
        self.journal = journal
        self.decisions = Decisions(database, audit)
        self.answers = Answers(database, audit)
        self.answering = Answering(self.answers, self.decisions, home.data, publish, assistant)
        self._assistant = assistant
        self._home = home
        self._demand = Demand(journal, self.decisions, assistant().pipeline.lexicon)

    def start(self) -> None:
        self.answering.start()

    def stop(self) -> None:
        self.answering.stop()

    def groups(self) -> list[Group]:
        """What people asked and did not get, the most wanted first."""
        with open_store(self._home) as store:

            def holding(terms: Sequence[str]) -> int:
                return len(store.matching(terms))

            return self._demand.groups(self._assistant().encoder, holding, store.counts()["passages"])

    def waiting(self) -> int:
        """How many groups nothing was decided about."""
        return sum(group.state == "open" for group in self.groups())
