"""The module ``metrics``: ``/metrics`` for Prometheus.

Owns which figures there are: requests by route and status with their latency, connections of the pool, and
how far the worker is behind. Under several processes the figures of all of them are put together, which needs
``PROMETHEUS_MULTIPROC_DIR``; ``pms serve`` sets it. Nobody but the operator reads them: with the token
``METRICS_TOKEN``, as an admin, or, without a token, from this machine and past no proxy.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Final

from attrs import frozen
from flask import Flask, Response, current_app, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

import pmscore
from pms_web.modules.spec import WebModule
from pms_web.present import present
from pms_web.routing import Route, who_asks
from pms_web.services import Surroundings
from pmscore.access.model.permissions import Permission
from pmscore.kernel.errors import NotAuthenticatedError, PermissionDeniedError, PmsError
from pmscore.modules.model import Manifest

__all__ = ["MODULE"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_IN_USE: Final = "database_connections_in_use"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_PROXIED: Final = ("X-Forwarded-For", "Forwarded", "X-Real-Ip", "Via")


@frozen
class _Figures:
    """The figures of one app."""

    registry: CollectorRegistry
    requests: Counter
    latency: Histogram
    connections: Gauge

    @classmethod
    def make(cls) -> _Figures:
        registry = CollectorRegistry()
        return cls(
            registry,
            Counter(
                "pms_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
            ),
            Histogram(
                "pms_http_request_seconds",
                "Time from the request to its answer.",
                ("method", "route"),
                buckets=_BUCKETS,
                registry=registry,
            ),
            Gauge(
                "pms_database_connections_in_use",
                "Connections of the pool that are lent.",
                registry=registry,
                multiprocess_mode="livesum",
            ),
        )


def start(app: Flask, here: Surroundings) -> None:
    """Count every request from now on."""
    figures = _Figures.make()
    app.extensions["pms_metrics"] = figures
    in_use = here.gauges.get(_IN_USE)

    @cache
    def series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
        # Routes, methods and statuses are few; the library would look each name over again.
        return figures.requests.labels(method, route, str(status)), figures.latency.labels(method, route)

    def begin() -> None:
        g.metrics_began_at = time.perf_counter()

    def end(response: Response) -> Response:
        asked = present()
        method = asked.method if asked.method in _METHODS else "OTHER"
        # Never the address: whoever asks for addresses that are not there must not make a series of each.
        requests, latency = series(method, asked.endpoint or "none", response.status_code)
        requests.inc()
        began_at = g.get("metrics_began_at")
        if began_at is not None:
            latency.observe(time.perf_counter() - began_at)
        if in_use is not None:
            figures.connections.set(in_use())
        return response

    app.before_request(begin)
    app.after_request(end)


def metrics(here: Surroundings) -> Response:
    """Return the figures as Prometheus reads them."""
    _admit(here)
    registry = _registry()
    registry.register(_Asked({name: ask for name, ask in here.gauges.items() if name != _IN_USE}))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE)


def _registry() -> CollectorRegistry:
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        found = CollectorRegistry()
        MultiProcessCollector(found)  # type: ignore[no-untyped-call] # the library types half of itself
        return found
    figures: _Figures = current_app.extensions["pms_metrics"]
    found = CollectorRegistry()
    found.register(_Copied(figures.registry))
    return found


class _Copied(Collector):
    """The figures of this process, so that what is asked only now can stand beside them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterable[Metric]:
        return self._registry.collect()


class _Asked(Collector):
    """Figures that are asked for when somebody reads; one that does not answer is left out."""

    def __init__(self, gauges: Mapping[str, Callable[[], float]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for name, ask in self._gauges.items():
            try:
                value = ask()
            except PmsError:
                continue
            yield GaugeMetricFamily(f"pms_{name}", name.replace("_", " ").capitalize() + ".", value=value)


def _admit(here: Surroundings) -> None:
    """Let the operator in.

    Raises:
        NotAuthenticatedError: nobody says who they are, or what they show does not hold.
        PermissionDeniedError: somebody else.
    """
    token = here.metrics_token
    shown = request.headers.get("Authorization", "")
    if token is not None and hmac.compare_digest(shown.encode(), f"Bearer {token.reveal()}".encode()):
        return
    if token is None and not shown and _is_from_this_machine():
        return
    principal = who_asks(here)
    if principal is None:
        raise NotAuthenticatedError
    if not principal.may(Permission.OPERATE):
        raise PermissionDeniedError(permission=Permission.OPERATE.value, role=principal.role.value)


def _is_from_this_machine() -> bool:
    if any(name in request.headers for name in _PROXIED):
        return False
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


MODULE = WebModule(
    manifest=Manifest(
        name="metrics",
        version=pmscore.__version__,
        summary="Figures for Prometheus at /metrics.",
        is_for_agencies=False,
    ),
    routes=(
        Route(
            method="GET",
            path="/metrics",
            view=metrics,
            permission=None,
            allowance=None,
            summary="Figures for Prometheus",
            replies={200: CONTENT_TYPE},
            problems=frozenset({401, 403}),
        ),
    ),
    on_start=start,
)
