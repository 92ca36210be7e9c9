"""A thousand tokens that are not quite right get in nowhere, and beside each a right one does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from attrs import evolve, frozen
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey
from joserfc.jws import JWSRegistry

from pms_web.auth.key_ring import ALGORITHMS, KeyRing
from pms_web.auth.tokens import LONGEST_LIFE, Tokens
from pmscore.access.model.refusals import CredentialsError
from pmscore.access.model.users import User
from pmscore.kernel.errors import InvalidInputError, MisconfiguredError
from pmscore.kernel.ids import AgencyId, UserId
from pmscore.testing.clocks import SeededIds

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
AGENCY = AgencyId(UUID(int=7))
USER = User(user_id=UserId(UUID(int=8)), email="a@example.com", name="Ada", epoch=3)
OLD, NEW = "o" * 40, "n" * 40
EC = ECKey.generate_key("P-256", {"kid": "ec-1", "alg": "ES256"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed-1", "alg": "Ed25519"})
JWKS = json.dumps({"keys": [EC.as_dict(private=True), ED.as_dict(private=True)]})
RING = KeyRing.read(f"{NEW} {OLD}", JWKS)
TOKENS = Tokens(ring=RING, issuer="pms", audience="pms-test")
REGISTRY = JWSRegistry(algorithms=[*ALGORITHMS, "HS384", "HS512", "none"])


def by(key_id: str) -> Tokens:
    """Return tokens that the key with this id signs, verified by the whole ring."""
    first = [each for each in RING.keys if each.key_id == key_id]
    return evolve(TOKENS, ring=KeyRing((*first, *(each for each in RING.keys if each.key_id != key_id))))


KEY_IDS = [each.key_id for each in RING.keys]


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(part: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@frozen
class Valid:
    """A token that holds, and its parts."""

    tokens: Tokens
    text: str

    @property
    def header(self) -> dict:
        return decoded(self.text.split(".")[0])

    @property
    def claims(self) -> dict:
        return decoded(self.text.split(".")[1])

    def signed(self, *, header: dict | None = None, claims: dict | None = None, key=None) -> str:
        """Return a token signed with the right key, unless another is given, over what is changed."""
        ring_key = self.tokens.ring.signer
        head = {**self.header, **(header or {})}
        head = {name: value for name, value in head.items() if value is not None}
        said = {**self.claims, **(claims or {})}
        said = {name: value for name, value in said.items() if value is not ...}
        return jwt.encode(head, said, key or ring_key.key, registry=REGISTRY, default_type=None)


def valid(number: int) -> Valid:
    tokens = by(KEY_IDS[number % len(KEY_IDS)])
    return Valid(tokens, tokens.issue(USER, AGENCY, now=NOW, ids=SeededIds(number)))


def other_key(right: Valid):
    kind = right.header["alg"]
    if kind == "HS256":
        return OctKey.import_key("x" * 40)
    return ECKey.generate_key("P-256") if kind == "ES256" else OKPKey.generate_key("Ed25519")


def without_signature(right: Valid, algorithm: str) -> str:
    header, claims, _ = right.text.split(".")
    return f"{encoded({**decoded(header), 'alg': algorithm})}.{claims}."


def by_hand(header: dict, claims: dict, secret: bytes) -> str:
    """Sign with HMAC and nothing in between that could refuse to."""
    signed = f"{encoded(header)}.{encoded(claims)}"
    return f"{signed}.{encoded(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def confused(right: Valid) -> str:
    """Sign with the public half of an asymmetric key, as if it were a shared secret."""
    return by_hand({**right.header, "alg": "HS256", "kid": "ec-1"}, right.claims, EC.as_pem(private=False))


def brought_along(right: Valid, dice: random.Random) -> str:
    """Bring a key, or an order to the reader, in the header; signed by the right secret, or by the key that came."""
    name = dice.choice(["jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", "cty"])
    value = {"jwk": OctKey.import_key("x" * 40).as_dict(), "crit": ["exp"], "b64": False}.get(
        name, "https://a.example"
    )
    header = {**right.header, "alg": "HS256", "kid": KEY_IDS[-1], name: value}
    return by_hand(header, right.claims, dice.choice([OLD.encode(), b"x" * 40]))


def flipped(right: Valid, dice: random.Random, part: int) -> str:
    """Change one character of a part, the last one too: it has bits that no byte needs."""
    parts = right.text.split(".")
    at = dice.choice([dice.randrange(len(parts[part])), len(parts[part]) - 1])
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = dice.choice([each for each in letters if each != parts[part][at]])
    parts[part] = parts[part][:at] + other + parts[part][at + 1 :]
    return ".".join(parts)


def seconds(delta: timedelta) -> int:
    return int((NOW + delta).timestamp())


MUTATIONS: dict[str, Callable[[Valid, random.Random], str]] = {
    "alg none": lambda right, dice: without_signature(right, dice.choice(["none", "None", "NONE", "nOnE", ""])),
    "alg none, old signature": lambda right, _: (
        encoded({**right.header, "alg": "none"}) + "." + right.text.split(".", 1)[1]
    ),
    "another algorithm of the same secret": lambda right, dice: evolve(right, tokens=by(KEY_IDS[-1])).signed(
        header={"alg": dice.choice(["HS384", "HS512"]), "kid": KEY_IDS[-1]}
    ),
    "public key as a secret": lambda right, _: confused(right),
    "another key": lambda right, _: right.signed(key=other_key(right)),
    "the key of another id": lambda right, dice: right.signed(
        header={"kid": dice.choice([each for each in KEY_IDS if each != right.header["kid"]])}
    ),
    "an id that is none": lambda right, dice: right.signed(
        header={"kid": dice.choice(["", "../../dev/null", "' OR 1=1 --", "x" * 500, "\u0000", "0"])}
    ),
    "an id that is no text": lambda right, dice: (
        encoded({**right.header, "kid": dice.choice([0, None, [], {}, [right.header["kid"]], True])})
        + "."
        + right.text.split(".", 1)[1]
    ),
    "no id": lambda right, _: right.signed(header={"kid": None}),
    "a key of its own": brought_along,
    "expired": lambda right, dice: right.signed(
        claims={"iat": seconds(-LONGEST_LIFE), "exp": seconds(-timedelta(seconds=dice.randrange(590)))}
    ),
    "for too long": lambda right, dice: right.signed(
        claims={"exp": seconds(LONGEST_LIFE + timedelta(seconds=dice.randrange(1, 10**7)))}
    ),
    "from the future": lambda right, dice: right.signed(
        claims={
            "iat": seconds(timedelta(seconds=31 + dice.randrange(1000))),
            "exp": seconds(timedelta(seconds=1300)),
        }
    ),
    "not yet": lambda right, _: right.signed(claims={"nbf": seconds(timedelta(seconds=31))}),
    "without a member": lambda right, dice: right.signed(
        claims={dice.choice(["iss", "aud", "sub", "agency", "exp", "iat", "epoch"]): ...}
    ),
    "a member of another kind": lambda right, dice: right.signed(
        claims={
            dice.choice(["iss", "aud", "sub", "agency", "exp", "iat", "epoch"]): dice.choice(
                [None, True, "", "1e400", [], {}, 0, -1, 10**30, "pms\u0000", str(AGENCY).upper() + " "]
            )
        }
    ),
    "another audience": lambda right, dice: right.signed(
        claims={"aud": dice.choice(["pms", "PMS-TEST", "pms-test ", ["other"], [], {"pms-test": 1}, "pms-tes"])}
    ),
    "another issuer": lambda right, dice: right.signed(
        claims={"iss": dice.choice(["", "PMS", "pms/", "https://pms", ["pms"]])}
    ),
    "another type": lambda right, dice: right.signed(
        header={"typ": dice.choice(["JWT", "jwt", "id+jwt", "AT+JWT", "application/at+jwt", None])}
    ),
    "another agency, old signature": lambda right, dice: right.text.split(".")[0]
    + "."
    + encoded({**right.claims, "agency": str(UUID(int=dice.getrandbits(120)))})
    + "."
    + right.text.split(".")[2],
    "a changed header character": lambda right, dice: flipped(right, dice, 0),
    "a changed claims character": lambda right, dice: flipped(right, dice, 1),
    "a changed signature character": lambda right, dice: flipped(right, dice, 2),
    "a part less or more": lambda right, dice: dice.choice(
        [
            right.text.rpartition(".")[0],
            right.text.partition(".")[2],
            right.text + ".",
            "." + right.text,
            right.text + "." + right.text.split(".")[2],
            right.text.replace(".", "..", 1),
            right.text.split(".")[0] + "..",
            "..",
        ]
    ),
    "padding and white space": lambda right, dice: dice.choice(
        [right.text + "=", right.text + "==", right.text + "\n", " " + right.text, right.text.replace(".", " .", 1)]
    ),
    "a member twice": lambda right, _: encoded(
        b'{"alg":"none",' + json.dumps(right.header).encode()[1:]
    )
    + "."
    + right.text.split(".", 1)[1],
    "parts of two tokens": lambda right, dice: ".".join(
        [
            *right.text.split(".")[:2],
            right.tokens.issue(USER, AgencyId(UUID(int=9)), now=NOW, ids=SeededIds(dice.random())).split(".")[2],
        ]
    ),
    "far too long": lambda right, _: right.signed(claims={"padding": "x" * 5000}),
    "no JSON": lambda right, dice: encoded(dice.choice([b"[]", b"null", b'"x"', b"\xff", b"{", b""]))
    + "."
    + right.text.split(".", 1)[1],
}  # fmt: skip


def mutants(rounds: int) -> Iterator[tuple[str, int]]:
    yield from ((name, number) for number in range(rounds) for name in MUTATIONS)


def test_a_thousand_mutated_tokens_are_refused_and_a_valid_one_passes_beside_each():
    tried = 0
    for name, number in mutants(1 + 1000 // len(MUTATIONS)):
        right = valid(number)
        mutant = MUTATIONS[name](right, random.Random(f"{name}/{number}"))
        assert mutant != right.text, name
        with pytest.raises(CredentialsError):
            TOKENS.read(mutant, now=NOW)
        claims = TOKENS.read(right.text, now=NOW)
        assert (claims.user_id, claims.agency_id, claims.epoch) == (USER.user_id, AGENCY, 3), name
        tried += 1
    assert tried >= 1000


def test_the_hand_that_mutates_can_also_sign_what_passes():
    """The positive control: the same tools without a change make tokens that hold."""
    for number in range(len(KEY_IDS)):
        TOKENS.read(valid(number).signed(), now=NOW)
        TOKENS.read(
            valid(number).signed(claims={"nbf": seconds(timedelta(0)), "aud": ["x", "pms-test"]}), now=NOW
        )


def test_the_hand_that_signs_can_also_sign_what_passes():
    """The positive control of forged headers: the same hand, with nothing brought along."""
    right = valid(len(KEY_IDS) - 1)
    TOKENS.read(by_hand(right.header, right.claims, OLD.encode()), now=NOW)


def test_a_token_holds_until_its_last_second_and_ten_minutes_at_most():
    text = TOKENS.issue(USER, AGENCY, now=NOW, ids=SeededIds(1), lifetime=timedelta(days=1))
    assert TOKENS.read(text, now=NOW + LONGEST_LIFE - timedelta(seconds=1)).expires_at == NOW + LONGEST_LIFE
    with pytest.raises(CredentialsError) as refused:
        TOKENS.read(text, now=NOW + LONGEST_LIFE)
    assert refused.value.reason == "token_expired"
    assert refused.value.params == {}


def test_the_newest_key_signs_and_the_older_ones_still_verify():
    before = Tokens(ring=KeyRing.read(OLD))
    text = before.issue(USER, AGENCY, now=NOW, ids=SeededIds(1))
    during, after = Tokens(ring=KeyRing.read(f"{NEW},{OLD}")), Tokens(ring=KeyRing.read(NEW))
    during.read(text, now=NOW)
    newer = during.issue(USER, AGENCY, now=NOW, ids=SeededIds(1))
    after.read(newer, now=NOW)
    for tokens, wrong in ((before, newer), (after, text)):
        with pytest.raises(CredentialsError):
            tokens.read(wrong, now=NOW)


def test_a_public_key_verifies_and_cannot_sign():
    public = Tokens(ring=KeyRing.read("", json.dumps({"keys": [EC.as_dict(private=False)]})))
    public.read(Tokens(ring=KeyRing.read("", JWKS)).issue(USER, AGENCY, now=NOW, ids=SeededIds(1)), now=NOW)
    with pytest.raises(MisconfiguredError):
        public.issue(USER, AGENCY, now=NOW, ids=SeededIds(1))


@pytest.mark.parametrize(
    ("secrets", "jwks", "reason"),
    [
        ("short", "", "secret_too_short"),
        ("", "nonsense", "not_a_key_set"),
        ("", "[]", "not_a_key_set"),
        ("", '{"keys": [1]}', "not_a_key_set"),
        ("", '{"keys": [{"kty": "oct", "alg": "HS256", "k": "eHg"}]}', "key_without_id"),
        ("", '{"keys": [{"kty": "oct", "kid": "a", "alg": "HS256", "k": "eHg"}]}', "secret_too_short"),
        ("", '{"keys": [{"kty": "RSA", "kid": "a", "alg": "RS256"}]}', "key_of_unknown_kind"),
        ("", '{"keys": [{"kty": "oct", "kid": "a", "alg": "none", "k": "eHg"}]}', "key_of_unknown_kind"),
        ("", '{"keys": [{"kty": "EC", "crv": "P-256", "kid": "a", "alg": "ES256"}]}', "key_cannot_be_read"),
        (f"{NEW} {NEW}", "", "key_named_twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Key size")
def test_keys_that_will_not_do_are_refused_without_showing_them(secrets, jwks, reason):
    with pytest.raises(InvalidInputError) as refused:
        KeyRing.read(secrets, jwks)
    assert refused.value.reason == reason
    assert NEW not in str(refused.value)
    assert NEW not in repr(RING)
