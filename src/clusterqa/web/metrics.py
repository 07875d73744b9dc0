"""The figures behind /metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """One registry an app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.questions = Counter(
            "clusterqa_questions", "Questions answered", ["channel", "language", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "clusterqa_stage_seconds",
            "Time spent on a question, by stage",
            ["stage"],
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
            registry=self.registry,
        )
        self.feedback = Counter("clusterqa_feedback", "Feedback given", ["helpful"], registry=self.registry)
        self.refused = Counter(
            "clusterqa_refused", "Questions refused because there were too many", registry=self.registry
        )
        self.errors = Counter("clusterqa_errors", "Questions that ended in an error", registry=self.registry)
        self.ready = Gauge("clusterqa_ready", "1 when questions are answered", registry=self.registry)
        self.generation = Gauge("clusterqa_generation", "Generation of the index in memory", registry=self.registry)
