"""The server's log: one JSON object a line, and an error that repeats itself is told once, with a count."""

from __future__ import annotations

import copy
import json
import logging
import threading
from datetime import UTC, datetime

from clusterqa.deceptive import visible

PERIOD_SECONDS = 60.0
"""What repeats itself within this time is counted, not told."""


def install() -> None:
    """Send everything that any library logs to stderr in this form; only our own and the web server's from INFO on."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    handler.addFilter(Repeated(handler))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    for name in ("clusterqa", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(logging.INFO)


class Repeated(logging.Filter):
    """
    Lets the first of equal warnings and errors through; what follows within the period is told at its end in one line,
    with `repeated`, the number of those that were left out. Equal is what comes from the same place for the same reason.
    """

    def __init__(self, handler: logging.Handler) -> None:
        super().__init__()
        self._handler = handler
        self._left_out: dict[object, int] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING or hasattr(record, "repeated"):
            return True
        key = _key(record)
        with self._lock:
            if key in self._left_out:
                self._left_out[key] += 1
                return False
            self._left_out[key] = 0
        timer = threading.Timer(PERIOD_SECONDS, self.tell, (key, record))
        timer.daemon = True
        timer.start()
        return True

    def tell(self, key: object, first: logging.LogRecord) -> None:
        """The period is over: say how often it happened again, if it did."""
        with self._lock:
            count = self._left_out.pop(key, 0)
        if count:
            record = copy.copy(first)
            record.exc_info, record.created = None, datetime.now(UTC).timestamp()
            record.repeated = count
            self._handler.handle(record)


def _key(record: logging.LogRecord) -> object:
    error = record.exc_info[1] if record.exc_info else None
    trace = error.__traceback__ if error else None
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (trace.tb_frame.f_code.co_filename, trace.tb_lineno) if trace else None
    return record.name, record.pathname, record.lineno, getattr(record, "reason", None), type(error), place


class JsonLines(logging.Formatter):
    """One JSON object a record; what was given as `extra` stands beside the message."""

    _usual = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in self._usual},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return visible(json.dumps(line, ensure_ascii=False, default=str))
