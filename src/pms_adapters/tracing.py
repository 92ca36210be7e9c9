"""Traces with OpenTelemetry, where its SDK is installed (``pmscore[otel]``) and ``OTEL_…`` says where they go.

Owns the set-up and the spans of round trips to the database; without it a round trip costs one look at a variable.
Spans hold no statement and no value. Leaves spans of requests to whoever serves them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Final

__all__ = ["observe_round_trips", "round_trip", "set_up_traces"]

RoundTrip = Callable[[int], AbstractContextManager[object]]

_NOTHING: Final = nullcontext()
_OTLP: Final = "opentelemetry.exporter.otlp.proto.http.trace_exporter"
_WHERE: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")
_observers: list[RoundTrip] = []


def round_trip(statements: int) -> AbstractContextManager[object]:
    """Return what is entered while so many statements travel to the database and back."""
    return _observers[0](statements) if _observers else _NOTHING


def observe_round_trips(observer: RoundTrip | None) -> None:
    """Let ``observer`` see every round trip of this process from now on; None ends it."""
    _observers[:] = [] if observer is None else [observer]


def set_up_traces(environ: Mapping[str, str], *, service: str, version: str) -> bool:
    """Let traces of this process go where ``environ`` says; return whether there will be any.

    Called once in each process that serves, after it was forked: the thread that sends does not survive a fork.
    """
    exporter = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower()
    is_wanted = any(environ.get(name, "").strip() for name in _WHERE) and exporter != "none"
    is_off = environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    if (
        not is_wanted
        or is_off
        or find_spec("opentelemetry") is None
        or find_spec("opentelemetry.sdk") is None
    ):
        return False
    if exporter != "console" and (find_spec("opentelemetry.exporter") is None or find_spec(_OTLP) is None):
        return False
    _begin(exporter, environ.get("OTEL_SERVICE_NAME", "").strip() or service, version)
    return True


def _begin(exporter: str, service: str, version: str) -> None:
    from opentelemetry import trace  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter  # noqa: PLC0415 - an extra

    provider = TracerProvider(resource=Resource.create({"service.name": service, "service.version": version}))
    if exporter == "console":
        provider.add_span_processor(BatchSpanProcessor(ConsoleSpanExporter()))
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra

        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    tracer = trace.get_tracer("pmscore")

    def spanned(statements: int) -> AbstractContextManager[object]:
        told: dict[str, str | int] = {"db.system.name": "postgresql", "db.operation.batch.size": statements}
        return tracer.start_as_current_span(
            "postgresql", kind=trace.SpanKind.CLIENT, attributes=told, record_exception=False
        )

    observe_round_trips(spanned)
