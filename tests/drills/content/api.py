"""The centre's OpenAPI document against the running centre: every operation, signed and unsigned.

Needs schemathesis, which `make drill` installs.
"""

from __future__ import annotations

import base64
import contextlib
import random
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.contract import bundle, wire
from sync.contract.ids import uuid7
from sync.contract.signing import sign
from tests.faults.house import House
from tests.faults.wire import WireDevice


@dataclass
class Tried:
    """What became of one operation."""

    cases: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


class Attack:
    """Requests from the document's schemas, half of them with what the centre knows filled in."""

    def __init__(self, house: House, seed: int) -> None:
        self.house = house
        self.chance = random.Random(seed)
        self.device = WireDevice(house)
        self.operator: Ed25519PrivateKey = house._operator
        self.session = requests.Session()
        self.session.trust_env = False

    def prepared(self, case: Any) -> requests.PreparedRequest:
        """A case as it goes onto the wire: for most of them signed by whoever may."""
        self._fill(case)
        given = case.as_transport_kwargs(base_url=self.house.url)
        given.pop("cookies", None)
        request = requests.Request(**given).prepare()
        body = request.body or b""
        raw = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        if self.chance.random() < 0.85:
            path = urlsplit(str(request.url)).path
            names = ("Content-Digest", "Signature-Input", "Signature", "Content-Encoding")
            for name in names:
                request.headers.pop(name, None)
            admin = path.startswith("/v1/admin")
            key = self.operator if admin else self.device.key
            if path == "/v1/enrol" and self.chance.random() < 0.5:
                key = Ed25519PrivateKey.generate()
            if self.chance.random() < 0.05:
                key = self.device.key if admin else self.operator
            request.headers.update(sign(str(request.method), path, {}, raw, key))
        return request

    def _fill(self, case: Any) -> None:
        """Names the centre knows in place of made-up ones, now and then."""
        pick = self.chance.random
        if case.path_parameters and pick() < 0.7:
            known = {"device": self.device.device, "correction": "1"}
            case.path_parameters = {n: known.get(n, v) for n, v in case.path_parameters.items()}
        body = case.body
        if not isinstance(body, dict):
            return
        known = {
            "v": wire.VERSION,
            "centre": self.device.centre,
            "epoch": self.device.epoch,
            "public_key": bundle.key_text(self.device.key.public_key()),
            "key": bundle.key_text(self.house.organisation_key.public_key()),
            "id": self.house.bundles[0].organisation.id,
            "device": self.device.device,
            "location": self.house.bundles[0].location.id,
            "from": "2026-01-01",
            "to": "2026-12-31",
            "timezone": "Europe/Helsinki",
            "expires_at": "",
            "next_keys": [base64.b64encode(b"n" * 32).decode()],
            "targets": {"nps": 80},
        }
        if pick() < 0.6:
            case.body = body = {n: known[n] if n in known and pick() < 0.9 else v
                                for n, v in body.items()}  # fmt: skip
        items = body.get("items")
        if isinstance(items, list) and pick() < 0.7:
            first = 1
            for first, item in enumerate((i for i in items if isinstance(i, dict)), 1):
                item.update(seq=first, id=uuid7())
            body.update(first_seq=1, tail_seq=first, sent_boottime_ms=1, clocks={})

    def runs(self, wanted: list[Any], tried: Tried) -> Callable[..., None]:
        """A function that sends a case and notes what the document did not say."""

        def run(case: Any) -> None:
            try:
                request = self.prepared(case)
            except (ValueError, requests.RequestException, UnicodeError):
                # Nothing that can be put on the wire.
                return
            reply = self.session.send(request, timeout=60)
            tried.cases += 1
            tried.statuses[reply.status_code] = tried.statuses.get(reply.status_code, 0) + 1
            try:
                case.validate_response(reply, checks=wanted)
            except BaseExceptionGroup as group:
                for each in group.exceptions:
                    _note(tried, reply, each)
            except AssertionError as error:
                _note(tried, reply, error)

        return run


def operations(
    house: House,
    seed: int,
    examples: int,
    *,
    changed: Callable[[dict[str, Any]], dict[str, Any]] = lambda document: document,
) -> Iterator[tuple[str, Tried]]:
    """Each operation with so many cases; what the document did not say is a failure.

    `changed` makes another document of the centre's, to show that it would be found out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import hypothesis
        import schemathesis
        from schemathesis import checks
        from schemathesis.specs.openapi import checks as openapi_checks

        wanted = [
            checks.not_a_server_error,
            openapi_checks.status_code_conformance,
            openapi_checks.content_type_conformance,
            openapi_checks.response_headers_conformance,
            openapi_checks.response_schema_conformance,
        ]
        document = requests.get(f"{house.url}/schema/openapi.json", timeout=20).json()
        schema = schemathesis.openapi.from_dict(changed(document))
        schema.validate()
        attack = Attack(house, seed)
        for result in schema.get_all_operations():
            operation = result.ok()
            tried = Tried()
            for mode in schemathesis.GenerationMode:
                settings = hypothesis.settings(
                    max_examples=examples,
                    deadline=None,
                    database=None,
                    phases=(hypothesis.Phase.generate,),
                    suppress_health_check=list(hypothesis.HealthCheck),
                )
                given = hypothesis.given(case=operation.as_strategy(generation_mode=mode))
                run = attack.runs(wanted, tried)
                # Where nothing can be made as the document does not say, there is nothing to try.
                with contextlib.suppress(hypothesis.errors.Unsatisfiable):
                    hypothesis.seed(seed)(settings(given(run)))()
            yield operation.label, tried


def _note(tried: Tried, reply: requests.Response, error: BaseException) -> None:
    said = " ".join(str(error).split())[:160]
    text = f"{reply.status_code} {said} <- {(reply.request.body or b'')[:200]!r}"
    if len(tried.failures) < 5 and not any(said in known for known in tried.failures):
        tried.failures.append(text)
