"""A span for each request, where OpenTelemetry is in use; it continues the trace that ``traceparent`` names.

Owns what a span says: method, route, status, and whose it was; never an address. Leaves setting traces up to the
command that serves.
"""

from __future__ import annotations

from flask import Flask, Response, g, request

from pms_web.logs import about_request

__all__ = ["trace_requests"]


def trace_requests(app: Flask) -> None:
    """Begin a span with each request from now on, and end it with the answer."""
    from opentelemetry import context, propagate, trace  # noqa: PLC0415 - an extra

    tracer = trace.get_tracer("pms_web")

    def begin() -> None:
        before = propagate.extract({name.lower(): value for name, value in request.headers.items()})
        route = None if request.url_rule is None else request.url_rule.rule
        name = request.method if route is None else f"{request.method} {route}"
        g.span = tracer.start_span(name, context=before, kind=trace.SpanKind.SERVER)
        g.span_token = context.attach(trace.set_span_in_context(g.span, before))

    def answered(response: Response) -> Response:
        span = g.get("span")
        if span is not None:
            told = {f"pms.{name}": text for name, text in about_request().items() if text is not None}
            span.set_attributes({**told, "http.response.status_code": response.status_code})
            if response.status_code >= 500:
                span.set_status(trace.StatusCode.ERROR)
        return response

    def end(_: BaseException | None) -> None:
        span = g.pop("span", None)
        if span is not None:
            context.detach(g.pop("span_token"))
            span.end()

    app.before_request_funcs.setdefault(None, []).insert(0, begin)
    app.after_request(answered)
    app.teardown_request(end)
