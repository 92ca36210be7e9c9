"""Coming in, going out, people and keys over HTTP, each with an attack beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from attrs import evolve, frozen
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from adapters.conftest import PostgresDatabase
from pms_adapters.bootstrap import connect
from pms_adapters.settings import AccessSettings, Settings
from pms_web.app import create_app
from pms_web.auth.letters import Letters
from pms_web.auth.passwords import Argon2Passwords
from pms_web.limits import NoLimits
from pms_web.services import Surroundings
from pms_web.wiring import connected
from pmscore.access.model.permissions import Role
from pmscore.access.use_cases.agencies import OpenAgency, open_agency
from pmscore.access.use_cases.members import AddUser, add_user
from pmscore.kernel.ids import ActorId, AgencyId, RequestId
from pmscore.kernel.secrets import Secret
from pmscore.testing.access_scenes import PASSWORD
from pmscore.testing.clocks import MovableClock
from web.conftest import problem, wrong_fields

pytestmark = pytest.mark.postgres

NEW_PASSWORD = "seven green otters at dawn"
WRONG = "nine grey wolves at dusk"


class Pigeonhole:
    """Keeps letters."""

    def __init__(self) -> None:
        self.letters: list[tuple[str, str, str]] = []

    def carry(self, to: str, subject: str, text: str) -> None:
        self.letters.append((to, subject, text))

    def token(self) -> str:
        """Return what stands behind the # of the last letter's link."""
        return re.search(r"#(\S+)", self.letters[-1][2])[1]


@frozen
class House:
    """The app with log-in, an agency in it, and its letters."""

    app: Flask
    here: Surroundings
    agency_id: AgencyId
    post: Pigeonhole
    clock: MovableClock

    def email(self, name: str) -> str:
        return f"{name}@{self.agency_id.hex}.example"

    def add(self, name: str, role: Role = Role.ADMIN, reach=None) -> str:
        command = AddUser(
            **_asked(self.agency_id),
            email=self.email(name),
            name=name,
            password=PASSWORD,
            role=role,
            reach=reach,
        )
        access = self.here.access
        member = add_user(command, uow=access.uow, passwords=access.passwords, ids=self.here.ids)
        return str(member.user.user_id)

    def visitor(self) -> Visitor:
        return Visitor(self.app.test_client(), self)

    def logged_in(self, name: str, password: str = PASSWORD) -> Visitor:
        visitor = self.visitor()
        answer = visitor.log_in(self.email(name), password)
        assert answer.status_code == 200, answer.text
        return evolve(visitor, csrf=answer.get_json()["csrf_token"])


@frozen
class Visitor:
    """A browser, with its cookies and the token of its page."""

    client: FlaskClient
    house: House
    csrf: str = ""

    def log_in(self, email: str, password: str = PASSWORD, **more) -> TestResponse:
        return self.client.post("/api/v1/auth/log-in", json={"email": email, "password": password, **more})

    def get(self, address: str, **headers: str) -> TestResponse:
        return self.client.get(f"/api/v1{address}", headers=headers)

    def send(self, method: str, address: str, body: object = None, **headers: str) -> TestResponse:
        headers = {"X-CSRF-Token": self.csrf, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.client.open(f"/api/v1{address}", method=method, json=body or {}, headers=headers)

    def cookie(self) -> str:
        return self.client.get_cookie("pms").value


def _asked(agency_id: AgencyId) -> dict:
    return {"request_id": RequestId(uuid4()), "agency_id": agency_id, "actor_id": ActorId(uuid4())}


@pytest.fixture(scope="module")
def house(postgres_database: PostgresDatabase) -> Iterator[House]:
    settings = Settings(
        database_url=postgres_database.app_url,
        is_redis_health_checked=False,
        access=AccessSettings(jwt_shared=Secret("j" * 40), public_url="https://pms.example"),
    )
    clock = MovableClock(datetime.now(UTC))
    post = Pigeonhole()
    with connected(settings, None, clock=clock) as made:
        access = evolve(
            made.access,
            passwords=Argon2Passwords(passes=1, memory_kib=64),
            mail=Letters(post=post, public_url="https://pms.example"),
        )
        here = evolve(made, access=access, limiter=NoLimits())
        agency_id = AgencyId(uuid4())
        open_agency(
            OpenAgency(**_asked(agency_id), name="Access", slug=f"access-{agency_id.hex}"), uow=access.uow
        )
        yield House(create_app(here), here, agency_id, post, clock)


@pytest.fixture(scope="module")
def admin(house: House) -> Visitor:
    house.add("admin")
    return house.logged_in("admin")


def test_a_session_opens_what_its_user_may_and_nothing_without_it(house, admin):
    who = admin.get("/auth/me").get_json()
    assert (who["role"], who["means"], who["agency_id"]) == ("admin", "session", str(house.agency_id))
    assert who["csrf_token"] == admin.csrf
    problem(house.visitor().get("/auth/me"), 401, "not_authenticated")
    problem(house.visitor().get("/users"), 401, "not_authenticated")


def test_the_cookie_is_for_this_host_and_out_of_reach_of_scripts(house, admin):
    answer = house.visitor().client.post(
        "/api/v1/auth/log-in",
        json={"email": house.email("admin"), "password": PASSWORD},
        base_url="https://localhost",
    )
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-pms=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    plain = house.visitor().log_in(house.email("admin")).headers["Set-Cookie"]
    assert plain.startswith("pms=")
    assert "HttpOnly" in plain


def test_whoever_is_refused_at_log_in_learns_one_thing(house, admin):
    bodies = set()
    for email, password in (
        (house.email("admin"), WRONG),
        (house.email("nobody"), PASSWORD),
        ("no address", PASSWORD),
        (house.email("admin"), ""),
    ):
        answer = house.visitor().log_in(email, password)
        body = dict(problem(answer, 401, "log_in_refused"))
        body.pop("request_id")
        bodies.add(str(body))
        assert "Set-Cookie" not in answer.headers
    assert len(bodies) == 1
    assert house.visitor().log_in(house.email("admin")).status_code == 200


def test_a_planted_session_is_not_taken_up_and_the_old_one_ends(house):
    house.add("fixed", Role.STAFF)
    visitor = house.visitor()
    visitor.client.set_cookie("pms", "A" * 43)
    visitor.log_in(house.email("fixed"))
    first = visitor.cookie()
    assert first != "A" * 43
    visitor.log_in(house.email("fixed"))
    second = visitor.cookie()
    assert second != first
    stale = house.visitor()
    stale.client.set_cookie("pms", first)
    problem(stale.get("/auth/me"), 401, "not_authenticated")
    assert visitor.get("/auth/me").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_change_from_another_page_is_refused(house, admin, headers):
    body = {"name": "Planted", "role": "admin"}
    right = {"X-CSRF-Token": admin.csrf}
    answer = admin.client.post("/api/v1/keys", json=body, headers={**right, **headers})
    problem(answer, 401, "not_authenticated")
    good = {**right, "Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert admin.client.post("/api/v1/keys", json=body, headers=good).status_code == 201


def test_another_page_cannot_log_anybody_in(house, admin):
    """Else a visitor could be working in the attacker's account without knowing."""
    body = {"email": house.email("admin"), "password": PASSWORD}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        answer = house.visitor().client.post("/api/v1/auth/log-in", json=body, headers=headers)
        problem(answer, 401, "not_authenticated")
        assert "Set-Cookie" not in answer.headers


def test_guessing_waits_by_account_wherever_it_comes_from(house):
    """The count stands in the database: no Redis is running here, and every guess has a client of its own."""
    house.add("guessed", Role.STAFF)
    outcomes: list[int] = []
    barrier = Barrier(12)

    def guess() -> None:
        barrier.wait()
        outcomes.append(house.visitor().log_in(house.email("guessed"), WRONG).status_code)

    crowd = [Thread(target=guess) for _ in range(12)]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert set(outcomes) <= {401, 409}
    problem(house.visitor().log_in(house.email("guessed")), 401, "log_in_refused")
    house.clock.advance(timedelta(minutes=16))
    assert house.visitor().log_in(house.email("guessed")).status_code == 200


def test_logging_out_ends_the_session_and_everywhere_all_of_them(house):
    house.add("leaver", Role.STAFF)
    one, two, three = (house.logged_in("leaver") for _ in range(3))
    answer = one.send("POST", "/auth/log-out")
    assert answer.status_code == 204
    assert "pms=;" in answer.headers["Set-Cookie"]
    assert two.get("/auth/me").status_code == 200
    assert two.send("POST", "/auth/log-out", {"everywhere": True}).status_code == 204
    problem(three.get("/auth/me"), 401, "not_authenticated")


def test_a_session_goes_over_to_another_agency_with_a_new_cookie_and_a_new_token(house):
    other = another_agency(house)
    house.add("traveller", Role.MANAGER)
    invited = other.logged_in("boss").send(
        "POST", "/users", {"email": house.email("traveller"), "name": "T", "role": "staff"}
    )
    assert invited.status_code == 201, invited.text
    began = house.visitor()
    csrf = began.log_in(house.email("traveller"), agency_id=str(house.agency_id)).get_json()["csrf_token"]
    began = evolve(began, csrf=csrf)
    places = {each["agency_id"]: each for each in began.get("/auth/me").get_json()["memberships"]}
    assert places.keys() == {str(house.agency_id), str(other.agency_id)}
    assert [places[str(each.agency_id)]["role"] for each in (house, other)] == ["manager", "staff"]
    assert [places[str(each.agency_id)]["is_current"] for each in (house, other)] == [True, False]

    asked = {"agency_id": str(other.agency_id)}
    old_cookie = began.cookie()
    for wrong in ({"X_CSRF_Token": ""}, {"X_CSRF_Token": "x" * 43}, {"Sec_Fetch_Site": "cross-site"}):
        answer = began.send("POST", "/auth/switch-agency", asked, **wrong)
        problem(answer, 401, "not_authenticated")
        assert "Set-Cookie" not in answer.headers
    answer = began.send("POST", "/auth/switch-agency", asked)
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["agency_id"] == str(other.agency_id)
    assert {"HttpOnly", "SameSite=Lax"} <= set(answer.headers["Set-Cookie"].split("; "))
    moved = evolve(began, csrf=answer.get_json()["csrf_token"])
    assert moved.cookie() != old_cookie
    assert moved.csrf != csrf
    who = moved.get("/auth/me").get_json()
    assert (who["agency_id"], who["role"]) == (str(other.agency_id), "staff")
    assert moved.send("POST", "/guests", {"name": "Ada"}).status_code == 201
    problem(began.send("POST", "/guests", {"name": "Ada"}), 401, "not_authenticated")

    thief = house.visitor()
    thief.client.set_cookie("pms", old_cookie)
    problem(thief.get("/auth/me"), 401, "not_authenticated")
    told = other.logged_in("boss").get("/events?kind=user.agencySwitched").get_json()["items"]
    assert [each["actor_id"] for each in told] == [who["actor_id"]]


def test_a_session_goes_to_no_agency_that_its_user_is_not_in(house):
    """Whether there is such an agency or not, the answer is the same and the session stays what it is."""
    other = another_agency(house)
    house.add("stayer", Role.STAFF)
    visitor = house.logged_in("stayer")
    said = set()
    for agency_id in (str(other.agency_id), str(uuid4())):
        answer = visitor.send("POST", "/auth/switch-agency", {"agency_id": agency_id})
        said.add(problem(answer, 404, "not_found")["detail"])
        assert "Set-Cookie" not in answer.headers
    assert len(said) == 1
    assert visitor.get("/auth/me").get_json()["agency_id"] == str(house.agency_id)
    assert visitor.send("POST", "/guests", {"name": "Ada"}).status_code == 201


def another_agency(house: House) -> House:
    """Return the app as another agency sees it, which has an admin called boss."""
    other = evolve(house, agency_id=AgencyId(uuid4()))
    command = OpenAgency(**_asked(other.agency_id), name="Other", slug=f"other-{other.agency_id.hex}")
    open_agency(command, uow=house.here.access.uow)
    other.add("boss")
    return other


def test_a_changed_password_ends_the_other_sessions(house):
    house.add("changer", Role.STAFF)
    mine, other = house.logged_in("changer"), house.logged_in("changer")
    change = {"old_password": WRONG, "new_password": NEW_PASSWORD}
    problem(mine.send("POST", "/auth/password", change), 401, "log_in_refused")
    short = {"old_password": PASSWORD, "new_password": "short"}
    assert wrong_fields(mine.send("POST", "/auth/password", short)) == {"new_password": "too_short"}
    change["old_password"] = PASSWORD
    assert mine.send("POST", "/auth/password", change).status_code == 204
    assert mine.get("/auth/me").status_code == 200
    problem(other.get("/auth/me"), 401, "not_authenticated")
    assert house.visitor().log_in(house.email("changer")).status_code == 401


def test_a_reset_link_is_sent_in_silence_and_works_once(house):
    house.add("forgetful", Role.STAFF)
    visitor = house.visitor()
    before = len(house.post.letters)
    answers = [
        visitor.client.post(
            "/api/v1/auth/reset-request",
            json={"email": email},
            headers={"Host": "localhost", "X-Forwarded-Host": "evil.example"},
        )
        for email in (house.email("forgetful"), house.email("nobody"), "no address")
    ]
    assert {(each.status_code, each.data) for each in answers} == {(202, b"")}
    house.here.access.background.wait()
    (letter,) = house.post.letters[before:]
    assert letter[0] == house.email("forgetful")
    assert "https://pms.example/set-password#" in letter[2]
    token = house.post.token()
    use = {"token": token, "password": NEW_PASSWORD}
    assert wrong_fields(visitor.send("POST", "/auth/reset", {**use, "password": "password1234"})) == {
        "password": "too_common"
    }
    assert visitor.send("POST", "/auth/reset", use).status_code == 204
    problem(visitor.send("POST", "/auth/reset", use), 422, "link_refused")
    assert visitor.log_in(house.email("forgetful"), NEW_PASSWORD).status_code == 200


def test_an_invited_person_chooses_a_password_and_does_what_the_role_says(house, admin):
    invitation = {"email": house.email("invited"), "name": "Jo\nSilva", "role": "staff"}
    answer = admin.send("POST", "/users", invitation)
    assert answer.status_code == 201, answer.text
    made = answer.get_json()
    assert made["has_password"] is False
    house.here.access.background.wait()
    token = house.post.token()
    assert token not in answer.text
    assert (
        house.visitor().send("POST", "/auth/reset", {"token": token, "password": NEW_PASSWORD}).status_code
        == 204
    )
    invited = house.logged_in("invited", NEW_PASSWORD)
    problem(invited.get("/users"), 403, "permission_denied")
    assert wrong_fields(admin.send("POST", "/users", invitation)) == {"email": "taken"}
    changed = admin.send("PATCH", f"/users/{made['id']}", {"role": "admin"}, If_Match='"1"')
    assert changed.get_json()["role"] == "admin"
    assert changed.headers["ETag"] == '"2"'
    assert invited.get("/users").status_code == 200
    stale = admin.send("PATCH", f"/users/{made['id']}", {"role": "staff"}, If_Match='"1"')
    problem(stale, 409, "stale_version")
    assert admin.send("PATCH", f"/users/{made['id']}", {"is_active": False}).status_code == 200
    problem(invited.get("/users"), 401, "not_authenticated")


def test_roles_and_reach_that_do_not_go_together_are_refused(house, admin):
    base = {"email": house.email("odd"), "name": "Odd"}
    for more, wrong in (
        ({"role": "guest"}, {"role": "unknown_value"}),
        ({"role": "owner"}, {"property_ids": "required"}),
        ({"role": "admin", "property_ids": [str(uuid4())]}, {"property_ids": "admin_reaches_all"}),
        ({"role": "staff", "password_hash": "x"}, {"password_hash": "unknown_field"}),
    ):
        assert wrong_fields(admin.send("POST", "/users", {**base, **more})) == wrong


def test_the_last_admin_stays(house):
    """In an agency of its own."""
    lone = evolve(house, agency_id=AgencyId(uuid4()))
    command = OpenAgency(**_asked(lone.agency_id), name="Lone", slug=f"lone-{lone.agency_id.hex}")
    open_agency(command, uow=house.here.access.uow)
    user_id = lone.add("only")
    only = lone.logged_in("only")
    for change in ({"role": "staff"}, {"is_active": False}):
        body = problem(only.send("PATCH", f"/users/{user_id}", change), 409, "illegal_transition")
        assert body["reason"] == "last_admin"


def test_people_of_another_agency_are_not_there(house, admin):
    other = evolve(house, agency_id=AgencyId(uuid4()))
    command = OpenAgency(**_asked(other.agency_id), name="Other", slug=f"other-{other.agency_id.hex}")
    open_agency(command, uow=house.here.access.uow)
    theirs = other.add("theirs")
    problem(admin.get(f"/users/{theirs}"), 404, "not_found")
    problem(admin.send("PATCH", f"/users/{theirs}", {"role": "staff"}), 404, "not_found")
    key = other.logged_in("theirs").send("POST", "/keys", {"name": "Theirs", "role": "staff"}).get_json()
    problem(admin.send("DELETE", f"/keys/{key['id']}"), 404, "not_found")
    emails = {each["email"] for each in admin.get("/users?limit=100").get_json()["items"]}
    assert other.email("theirs") not in emails
    assert house.email("admin") in emails


def test_a_key_is_shown_once_opens_until_it_is_withdrawn_and_has_no_session(house, admin):
    made = admin.send("POST", "/keys", {"name": "Till", "role": "staff"}).get_json()
    assert made["key"].startswith("pms_")
    bearer = {"Authorization": f"Bearer {made['key']}"}
    program = house.visitor()
    who = program.get("/auth/me", **bearer).get_json()
    assert (who["means"], who["role"], who["csrf_token"]) == ("api_key", "staff", None)
    problem(program.get("/keys", **bearer), 403, "permission_denied")
    assert who["memberships"] == []
    problem(program.send("POST", "/auth/log-out", **bearer), 409, "illegal_transition")
    switching = program.send("POST", "/auth/switch-agency", {"agency_id": str(house.agency_id)}, **bearer)
    assert problem(switching, 409, "illegal_transition")["reason"] == "no_session"
    listed = admin.get("/keys?limit=100")
    assert made["key"] not in listed.text
    assert made["id"] in listed.text
    gone = admin.send("DELETE", f"/keys/{made['id']}")
    assert gone.get_json()["revoked_at"]
    problem(program.get("/auth/me", **bearer), 401, "not_authenticated")
    assert admin.send("DELETE", f"/keys/{made['id']}").get_json() == gone.get_json()


def test_a_token_opens_what_its_member_may(house, admin):
    house.add("machine", Role.MANAGER)
    user = house.here.access.reader.find_user(house.email("machine"))
    now = house.clock.now()
    token = house.here.access.tokens.issue(user, house.agency_id, now=now, ids=house.here.ids)
    bearer = {"Authorization": f"Bearer {token}"}
    who = house.visitor().get("/auth/me", **bearer).get_json()
    assert (who["role"], [each["role"] for each in who["memberships"]]) == ("manager", ["manager"])
    answer = house.visitor().get("/auth/me", Authorization=f"Bearer {token[:-2]}")
    problem(answer, 401, "not_authenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_two_who_hold_one_link_set_one_password(house):
    house.add("raced", Role.STAFF)
    house.visitor().send("POST", "/auth/reset-request", {"email": house.email("raced")})
    house.here.access.background.wait()
    token, barrier = house.post.token(), Barrier(2)
    outcomes: dict[str, int] = {}

    def use(password: str) -> None:
        visitor = house.visitor()
        barrier.wait()
        answer = visitor.send("POST", "/auth/reset", {"token": token, "password": password})
        outcomes[password] = answer.status_code

    passwords = ("first password of two", "second password of two")
    crowd = [Thread(target=use, args=(each,)) for each in passwords]
    for each in crowd:
        each.start()
    for each in crowd:
        each.join()
    assert sorted(outcomes.values()) == [204, 422]
    for password, status in outcomes.items():
        answer = house.visitor().log_in(house.email("raced"), password)
        assert answer.status_code == (200 if status == 204 else 401)


def test_no_secret_is_in_the_database_in_the_clear(house, admin, postgres_database):
    """Neither session, key nor link; passwords as argon2 only."""
    made = admin.send("POST", "/keys", {"name": "Plain", "role": "staff"}).get_json()
    settings = Settings(database_url=postgres_database.admin_url)
    with connect(settings) as services, services.engine.connect() as connection:
        told = ""
        for table in ("users", "sessions", "key_index", "api_keys", "one_time_links", "events"):
            rows = connection.exec_driver_sql(f"SELECT to_jsonb(t)::text FROM {table} t").fetchall()
            assert rows, table
            told += "".join(row[0] for row in rows)
    secret = made["key"].rpartition("_")[2]
    for each in (made["key"], secret, admin.cookie(), admin.csrf, house.post.token(), PASSWORD):
        assert each not in told
    assert "$argon2id$" in told
