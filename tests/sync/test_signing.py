"""What a signed request promises: only the bytes, path and method the key holder sent pass."""

from __future__ import annotations

import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.contract import bundle, signing

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY_ID = bundle.key_text(KEY.public_key())
BODY = b'{"v":1}'
GZIPPED = {"Content-Type": "application/json", "Content-Encoding": "gzip"}


def known(key_id: str) -> bool:
    return key_id == KEY_ID


def signed(headers: dict[str, str] | None = None, **kwargs: object) -> dict[str, str]:
    headers = dict(GZIPPED if headers is None else headers)
    return headers | signing.sign("POST", "/v1/batches", headers, BODY, KEY, **kwargs)  # type: ignore[arg-type]


def refused(*args: object, known=known) -> str:
    with pytest.raises(signing.SignatureRefused) as caught:
        signing.verify(*args, known=known)  # type: ignore[arg-type]
    return caught.value.code


def test_content_digest_is_rfc_9530s_own_example() -> None:
    assert (
        signing.content_digest(b'{"hello": "world"}\n')
        == "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
    )


def test_a_signed_request_is_recognised_by_its_key() -> None:
    assert signing.verify("POST", "/v1/batches", signed(), BODY, known=known) == KEY_ID


def test_header_names_arrive_in_lower_case() -> None:
    lower = {name.lower(): value for name, value in signed().items()}
    assert signing.verify("POST", "/v1/batches", lower, BODY, known=known) == KEY_ID


def test_a_get_without_body_is_signed_too() -> None:
    headers = signing.sign("GET", "/v1/config", {}, b"", KEY)
    assert signing.verify("GET", "/v1/config", headers, b"", known=known) == KEY_ID
    assert "content-encoding" not in headers["Signature-Input"]


@pytest.mark.parametrize("year", [1969, 1970, 2019, 2300])
def test_a_wrong_clock_is_never_judged(year: int) -> None:
    created = datetime.datetime(year, 1, 1, tzinfo=datetime.UTC)
    assert signing.verify("POST", "/v1/batches", signed(created=created), BODY, known=known)


def test_what_was_altered_is_refused() -> None:
    good = signed()
    assert refused("POST", "/v1/batches", good, BODY + b" ") == "bad_digest"
    forged = good | {"Content-Digest": signing.content_digest(b"{}")}
    assert refused("POST", "/v1/batches", forged, b"{}") == "bad_signature"
    assert refused("PUT", "/v1/batches", good, BODY) == "bad_signature"
    assert refused("POST", "/v1/enrol", good, BODY) == "bad_signature"
    assert refused("POST", "/v1/batches?x=1", good, BODY) == "bad_signature"
    assert (
        refused("POST", "/v1/batches", good | {"Content-Encoding": "br"}, BODY) == "bad_signature"
    )


def test_an_encoding_added_or_taken_on_the_way_is_refused() -> None:
    plain = {"Content-Type": "application/json"}
    added = signed(plain) | {"Content-Encoding": "gzip"}
    assert refused("POST", "/v1/batches", added, BODY) == "bad_signature"
    taken = {name: value for name, value in signed().items() if name != "Content-Encoding"}
    assert refused("POST", "/v1/batches", taken, BODY) == "bad_signature"


def test_missing_headers_are_refused() -> None:
    for name, code in [
        ("Content-Digest", "bad_digest"),
        ("Signature", "bad_signature"),
        ("Signature-Input", "bad_signature"),
    ]:
        rest = {key: value for key, value in signed().items() if key != name}
        assert refused("POST", "/v1/batches", rest, BODY) == code


def test_a_stranger_is_an_unknown_key_and_anothers_name_a_bad_signature() -> None:
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(32))
    theirs = signing.sign("POST", "/v1/batches", {}, BODY, stranger)
    assert refused("POST", "/v1/batches", theirs, BODY) == "unknown_key"
    posing = theirs | {
        "Signature-Input": theirs["Signature-Input"].replace(
            bundle.key_text(stranger.public_key()), KEY_ID
        )
    }
    assert refused("POST", "/v1/batches", posing, BODY) == "bad_signature"
    # A registered "key" that is no key must not become a server error.
    nonsense = theirs | {
        "Signature-Input": theirs["Signature-Input"].replace(
            bundle.key_text(stranger.public_key()), "AAAA"
        )
    }
    assert refused("POST", "/v1/batches", nonsense, BODY, known=lambda _: True) == "bad_signature"


def test_a_signature_covering_less_than_we_ask_is_refused() -> None:
    good = signed()
    for component in ('"@method"', '"@path"', '"content-digest"', '"content-encoding"'):
        less = good["Signature-Input"].replace(component + " ", "").replace(" " + component, "")
        assert (
            refused("POST", "/v1/batches", good | {"Signature-Input": less}, BODY)
            == "bad_signature"
        )


def test_a_retry_ignores_the_first_attempts_signature() -> None:
    first = signed()
    again = first | signing.sign("POST", "/v1/batches", first, b"other", KEY)
    assert signing.verify("POST", "/v1/batches", again, b"other", known=known) == KEY_ID


def test_only_a_plain_path_can_be_signed() -> None:
    for path in ("v1", "/v1?x=1", "/v1#x"):
        with pytest.raises(ValueError, match="plain path"):
            signing.sign("GET", path, {}, b"", KEY)


@settings(max_examples=150, deadline=None)
@given(field=st.sampled_from(["Signature", "Signature-Input"]), junk=st.text(max_size=60))
def test_any_junk_in_the_headers_is_a_refusal_and_nothing_else(field: str, junk: str) -> None:
    assert refused("POST", "/v1/batches", signed() | {field: junk}, BODY) in (
        "bad_signature",
        "unknown_key",
    )


def test_a_look_up_that_fails_is_no_bad_signature() -> None:
    def broken(_key: str) -> bool:
        raise ConnectionError("the database is down")

    with pytest.raises(ConnectionError, match="down"):
        signing.verify("POST", "/v1/batches", signed(), BODY, known=broken)
