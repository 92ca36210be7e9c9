"""Modules in the app: what they bring, how they are switched off, and that a bad one harms nobody."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest
from attrs import evolve
from flask import Flask, Response

from adapters.conftest import PostgresDatabase
from pms_web.app import create_app
from pms_web.modules.loading import GROUP, load_modules
from pms_web.modules.spec import WebModule
from pms_web.route_table import ROUTES
from pms_web.routing import Route
from pms_web.services import Surroundings, WebServices
from pmscore.access.model.permissions import Permission
from pmscore.modules.model import Manifest, Switches
from web.conftest import Web, problem, web_on


def hello(services: WebServices) -> Response:
    return Response("hello")


def route(path: str = "/api/v1/minibar") -> Route:
    return Route(
        method="GET",
        path=path,
        view=hello,
        replies={200: "text/html; charset=utf-8"},
        permission=Permission.READ_PROPERTIES,
    )


def module(name: str = "minibar", **more: object) -> WebModule:
    requires = more.pop("requires", ())
    return WebModule(manifest=Manifest(name=name, version="1.0", requires=requires), **more)


@pytest.fixture
def planted() -> Iterator[ModuleType]:
    made = sys.modules["planted_modules"] = ModuleType("planted_modules")
    yield made
    del sys.modules["planted_modules"]


def point(name: str, attribute: str) -> EntryPoint:
    return EntryPoint(name, f"planted_modules:{attribute}", GROUP)


def states(found: object) -> dict[str, tuple[str, str]]:
    return {each.name: (each.status.value, each.why) for each in found.installed.resolved.states}


def rules(app: Flask) -> set[tuple[str, str]]:
    return {
        (each.rule, method)
        for each in app.url_map.iter_rules()
        for method in each.methods - {"HEAD", "OPTIONS"}
    }


@pytest.fixture(scope="module")
def web(postgres_database: PostgresDatabase) -> Iterator[Web]:
    yield from web_on(postgres_database.app_url)


def test_the_bundled_modules_run():
    found = load_modules(Switches(), ROUTES)
    assert {"metrics", "webhooks"} <= set(states(found))
    (off,) = [name for name, (status, _) in states(found).items() if status == "off"]
    assert off == "channel_manager"
    assert {each.module for each in found.routes} == set(states(found)) - {off}
    found = load_modules(Switches(by_name={off: True}), ROUTES)
    assert set(states(found).values()) == {("on", "")}
    assert {each.module for each in found.routes} == set(states(found))


def test_one_switch_leaves_exactly_the_core_routes(web: Web):
    off = create_app(evolve(web.here, switches=Switches(are_modules_on=False)))
    assert rules(off) == {(each.path, each.method) for each in ROUTES}
    assert rules(web.app) > rules(off)
    problem(off.test_client().get("/api/v1/webhooks"), 404, "no_such_address")
    problem(off.test_client().get("/metrics"), 404, "no_such_address")
    assert off.test_client().get("/api/v1/properties").status_code == 200
    assert off.test_client().get("/api/v1/features").get_json() == {"features": []}


def test_one_module_is_switched_off_and_the_others_run(web: Web):
    app = create_app(evolve(web.here, switches=Switches(by_name={"webhooks": False})))
    problem(app.test_client().get("/api/v1/webhooks"), 404, "no_such_address")
    assert app.test_client().get("/metrics").status_code == 200


def test_a_switched_off_module_is_not_even_loaded(planted: ModuleType):
    # There is no such attribute: loading it would fail.
    found = load_modules(Switches(by_name={"minibar": False}), points=[point("minibar", "MISSING")])
    assert states(found) == {"minibar": ("off", "MINIBAR_ENABLED=false")}


def test_a_third_partys_module_brings_its_routes(
    planted: ModuleType, web: Web, monkeypatch: pytest.MonkeyPatch
):
    planted.MODULE = module(routes=(route(),))
    monkeypatch.setattr("pms_web.modules.loading.find_modules", lambda: (point("minibar", "MODULE"),))
    app = create_app(web.here)
    assert app.test_client().get("/api/v1/minibar").data == b"hello"
    assert app.test_client().get("/api/v1/features").get_json()["features"][0]["module"] == "minibar"
    off = {"features": [{"module": "minibar", "enabled": False}]}
    assert app.test_client().put("/api/v1/features", json=off).status_code == 200
    problem(app.test_client().get("/api/v1/minibar"), 404, "no_such_address")


@pytest.mark.parametrize(
    ("name", "made", "why"),
    [
        ("minibar", RuntimeError("a guest's name"), "could not be loaded: AttributeError"),
        ("minibar", "no module", "could not be loaded: TypeError: planted_modules:BAD is no WebModule"),
        ("minibar", module("other"), "could not be loaded: ValueError: it calls itself other"),
        ("minibar", module(routes=(route("/api/v1/properties"),)), "could not be loaded: ValueError"),
        ("Mini Bar", module(), "could not be loaded: ValueError"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_named_and_the_rest_runs(
    planted: ModuleType, name: str, made: object, why: str
):
    if not isinstance(made, RuntimeError):
        planted.BAD = made
    planted.GOOD = module("good")
    found = load_modules(Switches(), ROUTES, points=[point(name, "BAD"), point("good", "GOOD")])
    assert states(found)["good"] == ("on", "")
    status, said = states(found)[name]
    assert status == "failed"
    assert said.startswith(why)
    assert "a guest's name" not in said


def test_a_module_that_breaks_its_import_is_named_and_the_rest_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path
):
    (tmp_path / "broken_minibar.py").write_text("raise SystemError('a guest: Ada')")
    monkeypatch.syspath_prepend(tmp_path)
    found = load_modules(
        Switches(),
        points=[
            EntryPoint("minibar", "broken_minibar:MODULE", GROUP),
            EntryPoint("gone", "there_is_no_such_thing:MODULE", GROUP),
        ],
    )
    assert states(found)["minibar"] == ("failed", "could not be loaded: SystemError")
    assert states(found)["gone"][1] == (
        "could not be loaded: ModuleNotFoundError: No module named 'there_is_no_such_thing'"
    )


def test_a_module_that_does_not_start_is_named_and_what_needs_it_is_off(
    planted: ModuleType, web: Web, monkeypatch: pytest.MonkeyPatch
):
    def break_down(app: Flask, here: Surroundings) -> None:
        raise RuntimeError("a guest's name")

    started: list[str] = []
    planted.A = module("a", on_start=break_down, routes=(route("/api/v1/a"),))
    planted.B = module("b", requires=("a",), on_start=lambda _, __: started.append("b"))
    planted.C = module("c", on_start=lambda _, __: started.append("c"))
    points = [point("a", "A"), point("b", "B"), point("c", "C")]
    found = load_modules(Switches(), points=points).started(Flask("x"), web.here)
    assert states(found) == {
        "a": ("failed", "did not start: RuntimeError"),
        "b": ("off", "requires a, which is failed"),
        "c": ("on", ""),
    }
    assert started == ["c"]
    assert found.routes == ()
    monkeypatch.setattr("pms_web.modules.loading.find_modules", lambda: points)
    problem(create_app(web.here).test_client().get("/api/v1/a"), 404, "no_such_address")


def test_a_module_that_is_ill_says_so_in_the_list(
    planted: ModuleType, web: Web, monkeypatch: pytest.MonkeyPatch
):
    def ill() -> None:
        raise RuntimeError

    planted.ILL, planted.WELL = module("ill", health=ill), module("well", health=dict)
    points = [point("ill", "ILL"), point("well", "WELL")]
    monkeypatch.setattr("pms_web.modules.loading.find_modules", lambda: points)
    listed = create_app(web.here).test_client().get("/api/v1/features").get_json()["features"]
    assert {each["module"]: each["health"] for each in listed} == {"ill": "down", "well": "up"}
