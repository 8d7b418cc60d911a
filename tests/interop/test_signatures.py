"""What a phone signs is held against RFC 9421 and RFC 9530 as other authors read them.

The requests are those that a real phone sent to a real server a moment ago (SOTAY_RECORDED names the file, one JSON object a line, made by
`record-requests`). Nothing of the project's own code takes part in verifying.
"""

import base64
import copy
import json
import os
import unittest
from types import SimpleNamespace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

COVERED = ("@method", "@authority", "@path", "@query", "content-digest")


class KeyInItsName(HTTPSignatureKeyResolver):
    """The key's name is the key: base64url without padding."""

    def resolve_public_key(self, key_id):
        return Ed25519PublicKey.from_public_bytes(base64.urlsafe_b64decode(key_id + "="))


def verified(request):
    """What the signature of a request says, or an exception."""
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=KeyInItsName())
    message = SimpleNamespace(method=request["method"], url=request["url"], headers=dict(request["headers"]))
    (result,) = verifier.verify(
        message,
        expect_tag="sotay",
        require_components=tuple(f'"{name}"' for name in COVERED),
        body=base64.b64decode(request["body"]),
    )
    return result


def flipped(text, place):
    """The text with the character at this place exchanged for another one of its kind."""
    old = text[place]
    return text[:place] + ("B" if old != "B" else "C") + text[place + 1 :]


class Recorded(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with open(os.environ["SOTAY_RECORDED"], encoding="utf-8") as lines:
            cls.requests = [json.loads(line) for line in lines]
        cls.signed = [r for r in cls.requests if "signature" in dict(r["headers"])]

    def routes(self):
        """The first signed request of each method and path, without ids."""
        seen = {}
        for request in self.signed:
            path = request["url"].split("/", 3)[3]
            seen.setdefault((request["method"], path.split("?")[0].split("/", 2)[:2][-1]), request)
        return seen

    def test_auth_1_every_kind_of_signed_request_was_recorded(self):
        self.assertEqual(
            set(self.routes()),
            {("POST", "sync"), ("POST", "enrolment"), ("POST", "phones"), ("PUT", "blobs"), ("GET", "blobs")},
        )
        self.assertGreater(len({dict(r["headers"])["signature"] for r in self.signed}), 10)
        unsigned = {r["url"].rsplit("/", 1)[1] for r in self.requests if r not in self.signed}
        self.assertEqual(unsigned, {"open", "claim"})

    def test_auth_1_a_verifier_by_other_authors_accepts_what_a_phone_signed(self):
        for request in self.signed:
            with self.subTest(request["method"] + " " + request["url"]):
                result = verified(request)
                self.assertEqual(result.label, "sotay")
                self.assertEqual(result.parameters["alg"], "ed25519")
                self.assertEqual(result.body, base64.b64decode(request["body"]))

    def test_auth_1_it_refuses_a_request_with_any_one_thing_changed(self):
        for name, request in self.routes().items():
            for what, changed in changes(request):
                with self.subTest(f"{name}: {what}"), self.assertRaises((HTTPMessageSignaturesException, ValueError)):
                    verified(changed)

    def test_auth_1_two_requests_cannot_exchange_their_signatures(self):
        first, second = [r for r in self.signed if r["url"].endswith("/v1/sync")][:2]
        for name in ("signature", "signature-input"):
            changed = copy.deepcopy(first)
            changed["headers"] = [[n, dict(second["headers"])[n] if n == name else v] for n, v in first["headers"]]
            with self.subTest(name), self.assertRaises(HTTPMessageSignaturesException):
                verified(changed)


def changes(request):
    """The request with one thing changed, each in turn, and what."""

    def with_header(name, change):
        changed = copy.deepcopy(request)
        changed["headers"] = [[n, change(v) if n == name else v] for n, v in request["headers"]]
        return changed

    url, headers = request["url"], dict(request["headers"])
    yield "method", {**request, "method": "DELETE"}
    yield "host", {**request, "url": url.replace("https://", "https://other.", 1)}
    yield "path", {**request, "url": url.replace("/v1/", "/v2/", 1)}
    yield "query", {**request, "url": url + ("&" if "?" in url else "?") + "more=1"}
    body = base64.b64decode(request["body"])
    yield "body", {**request, "body": base64.b64encode(body + b"\0").decode()}
    digest = headers["content-digest"]
    yield "digest", with_header("content-digest", lambda v: flipped(v, digest.index("=:") + 5))
    given = headers["signature-input"]
    for parameter in ("keyid", "nonce"):
        place = given.index(f'{parameter}="') + len(parameter) + 4
        yield parameter, with_header("signature-input", lambda v, at=place: flipped(v, at))
    created = given.split("created=")[1].split(";")[0]
    yield "created", with_header("signature-input", lambda v: v.replace(created, str(int(created) - 1)))
    yield "algorithm", with_header("signature-input", lambda v: v.replace('"ed25519"', '"hmac-sha256"'))
    yield "tag", with_header("signature-input", lambda v: v.replace('"sotay"', '"other"'))
    yield "a component left out", with_header("signature-input", lambda v: v.replace('"@query" ', ""))
    yield "order of components", with_header("signature-input", lambda v: v.replace('"@path" "@query"', '"@query" "@path"'))
    yield "signature", with_header("signature", lambda v: flipped(v, 20))
    yield "no signature", with_header("signature", lambda v: "")


if __name__ == "__main__":
    unittest.main()
