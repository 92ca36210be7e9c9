"""Traces: a span for each request and each round trip to the database, in the caller's trace; none without OTEL_…"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from attrs import evolve

from pms_adapters import tracing
from pms_adapters.tracing import observe_round_trips, round_trip, set_up_traces
from pms_web.app import create_app
from pms_web.tracing import trace_requests
from web.conftest import Web

pytestmark = pytest.mark.postgres
pytest.importorskip("opentelemetry.sdk", reason="needs pmscore[otel]")

from opentelemetry import trace  # noqa: E402 - an extra
from opentelemetry.sdk.trace import TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: E402

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.fixture(scope="module")
def provider() -> TracerProvider:
    """One for the process: OpenTelemetry takes no second one."""
    assert set_up_traces({"OTEL_TRACES_EXPORTER": "console"}, service="pms", version="1")
    found = trace.get_tracer_provider()
    found._active_span_processor._span_processors = ()
    return found


@pytest.fixture
def spans(provider: TracerProvider) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield exporter
    provider._active_span_processor._span_processors = ()


@pytest.fixture(scope="module", autouse=True)
def _as_before() -> Iterator[None]:
    yield
    observe_round_trips(None)


def test_a_request_and_its_round_trips_are_spans_of_the_callers_trace(
    web: Web, spans: InMemorySpanExporter
) -> None:
    app = create_app(web.here)
    trace_requests(app)
    headers = {"traceparent": f"00-{TRACE}-{SPAN}-01", "X-Request-Id": "test-31"}
    assert app.test_client().get("/api/v1/properties?limit=7", headers=headers).status_code == 200
    found = spans.get_finished_spans()
    assert {f"{each.context.trace_id:032x}" for each in found} == {TRACE}
    (served,) = [each for each in found if each.kind is trace.SpanKind.SERVER]
    assert served.name == "GET /api/v1/properties"
    assert f"{served.parent.span_id:016x}" == SPAN
    assert served.attributes["http.response.status_code"] == 200
    assert served.attributes["pms.request_id"] == "test-31"
    assert served.attributes["pms.agency"] == str(web.services.agency_id)
    trips = [each for each in found if each.kind is trace.SpanKind.CLIENT]
    assert trips
    assert all(each.parent.span_id == served.context.span_id for each in trips)
    assert all(set(each.attributes) == {"db.system.name", "db.operation.batch.size"} for each in trips)


def test_a_failure_is_marked_and_tells_no_value(web: Web, spans: InMemorySpanExporter) -> None:
    def breaks(_: object) -> object:
        raise RuntimeError("planted")

    app = create_app(evolve(web.here, retry=breaks))
    trace_requests(app)
    assert app.test_client().get("/api/v1/properties").status_code == 500
    (served,) = spans.get_finished_spans()
    assert served.status.status_code is trace.StatusCode.ERROR
    assert "planted" not in served.to_json()


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none"},
        {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
    ],
)
def test_nothing_is_set_up_that_nobody_asked_for(environ: dict[str, str]) -> None:
    assert not set_up_traces(environ, service="pms", version="1")


def test_without_the_sdk_nothing_is_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "find_spec", lambda _: None)
    assert not set_up_traces({"OTEL_TRACES_EXPORTER": "console"}, service="pms", version="1")


def test_a_round_trip_that_nobody_observes_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "_observers", [])
    assert isinstance(round_trip(1), nullcontext)
