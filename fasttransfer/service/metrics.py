"""What Prometheus reads from a service."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from .work import Work

_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Metrics:
    """Counts requests for pictures.

    Args:
        work: whose queue is measured.
    """

    def __init__(self, work: Work) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fasttransfer_pictures",
            "Requests for pictures, by HTTP status.",
            ["status"],
            registry=self._registry,
        )
        self._times = Histogram(
            "fasttransfer_picture_seconds",
            "Seconds from a request for a picture to the answer, for those that got one.",
            buckets=_SECONDS,
            registry=self._registry,
        )
        here = Gauge(
            "fasttransfer_pictures_here",
            "Pictures that are waiting or being stylized.",
            registry=self._registry,
        )
        here.set_function(lambda: work.here)

    def count(self, status: int, seconds: float) -> None:
        """Counts an answer."""
        self._requests.labels(str(status)).inc()
        if status == 200:
            self._times.observe(seconds)

    def text(self) -> bytes:
        """In Prometheus's format."""
        return generate_latest(self._registry)
