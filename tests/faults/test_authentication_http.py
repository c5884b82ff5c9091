"""Keys and signatures over real connections: what the guide says, and what no HTTP client would send."""

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from merchants.models import Seller
from tests.merchants.signer import Request, Signer, new_signer
from tests.stack import Stack, http
from tests.store import open_store

pytestmark = pytest.mark.processes

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guides" / "authentication.md"
SELLER = json.dumps({"seller_account": "ada", "name": "Ada", "country": "DE"}).encode()


@pytest.fixture
def signer(stack: Stack) -> Signer:
    return new_signer(open_store())


def example(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n```\w+\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    assert found, f"the guide has no example in {name}"
    return found[1]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("openssl")), reason="typed with curl, openssl")
@pytest.mark.parametrize(
    ("name", "command", "account"),
    [
        ("python", [sys.executable, "-W", "error", "-c"], "carl-cups"),
        ("shell", ["bash", "-euo", "pipefail", "-c"], "dora-dyes"),
    ],
)
def test_the_examples_of_the_guide_sign(
    stack: Stack, signer: Signer, tmp_path: Path, name: str, command: list[str], account: str
) -> None:
    raw = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "signing.pem").write_bytes(raw)
    given = {"API": stack.web_url, "KEY": signer.secret, "SERIAL": signer.serial}
    done = subprocess.run(
        [*command, example(name)],
        cwd=tmp_path,
        env=stack.env | given,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    made = Seller.objects.get(merchant_id=signer.merchant_id)
    assert made.seller_account == account and made.public_id in done.stdout, done.stdout


def test_what_is_signed_is_what_is_on_the_wire(stack: Stack, signer: Signer) -> None:
    """A-A2: gunicorn hands over the address as it came, escapes and order included."""
    for target in ("/v1/sellers?limit=2&status=VERIFIED", "/v1/%73ellers?status=VERIFIE%44&limit=%32"):
        request = Request(target=target)
        assert http("GET", stack.web_url + target, headers=signer.headers(request)).status == 200
    plain = Request(target="/v1/sellers?limit=2")
    answer = http("GET", f"{stack.web_url}/v1/sellers?limit=%32", headers=signer.headers(plain))
    assert (answer.status, answer.json["error"]["code"]) == (401, "signature_invalid")


def spoken(stack: Stack, head: list[str], body: bytes = b"") -> tuple[int, str]:
    """Say exactly these lines on a connection; return the status and all that came back."""
    place = urlsplit(stack.web_url)
    lines = [*head, f"Host: {place.netloc}", "Connection: close", "", ""]
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=20) as line:
        line.sendall("\r\n".join(lines).encode("latin-1") + body)
        answer = b""
        while more := line.recv(65536):
            answer += more
    return int(answer.split(b" ", 2)[1]), answer.decode()


def test_headers_that_no_client_sends_a_a7(stack: Stack, signer: Signer) -> None:
    """A-A7: two of a kind, line ends inside a value, 64 KB: refused on the wire, and nothing is done."""
    request = Request("POST", "/v1/sellers", SELLER)
    signed = signer.headers(request)
    base = [
        "POST /v1/sellers HTTP/1.1",
        "Content-Type: application/json",
        *(f"{name}: {value}" for name, value in signed.items()),
    ]
    length = f"Content-Length: {len(SELLER)}"
    more = {
        "two signatures": [length, f"Signature: {signed['Signature']}"],
        "two nonces": [length, f"Signature-Nonce: {signed['Signature-Nonce']}"],
        "two keys for one request": [length, "Idempotency-Key: one", "Idempotency-Key: two"],
        "two lengths": [length, length],
        "a line end in a value": [length, "Idempotency-Key: one\nSignature-Serial: ser_x"],
        "half a line end in a value": [length, "Idempotency-Key: one\rtwo"],
        "64 KB": [length, f"Idempotency-Key: {'x' * 65536}"],
    }
    for name, lines in more.items():
        status, answer = spoken(stack, [*base, *lines], SELLER)
        assert status in (400, 431), (name, answer)
        if name.startswith("two") and name != "two lengths":
            assert "malformed_request" in answer, (name, answer)
    assert not Seller.objects.filter(merchant_id=signer.merchant_id).exists()
    # The nonce of the request with two keys is used up, so the last one signs anew.
    again = Request("POST", "/v1/sellers", SELLER)
    assert http("POST", f"{stack.web_url}/v1/sellers", SELLER, signer.headers(again)).status == 201


def test_a_body_in_chunks_is_not_what_was_signed(stack: Stack, signer: Signer) -> None:
    """A-A2: a body without a length is not read, so a signature over it is not accepted for an empty one."""
    request = Request("POST", "/v1/sellers", SELLER)
    head = [
        "POST /v1/sellers HTTP/1.1",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        *(f"{name}: {value}" for name, value in signer.headers(request).items()),
    ]
    chunk = f"{len(SELLER):x}\r\n".encode() + SELLER + b"\r\n0\r\n\r\n"
    status, answer = spoken(stack, head, chunk)
    assert status in (400, 401), answer
    assert not Seller.objects.filter(merchant_id=signer.merchant_id).exists()


def test_no_log_of_the_server_holds_a_secret_a_a8(stack: Stack, signer: Signer) -> None:
    """A-A8: a key in the address, in a wrong header and in the right one leaves no trace."""
    secret = signer.secret
    answers = [
        http("GET", f"{stack.web_url}/v1/sellers?api_key={secret}"),
        http("GET", f"{stack.web_url}/v1/{secret}", headers={"Authorization": f"Bearer {secret}"}),
        http("GET", f"{stack.web_url}/v1/sellers", headers={"Authorization": f"Basic {secret}"}),
        http("GET", f"{stack.web_url}/v1/sellers", headers={"Authorization": f"Bearer {secret}"}),
    ]
    assert [answer.status for answer in answers] == [401, 404, 401, 401]
    log = stack.log("web")
    assert "authentication refused" in log
    assert secret[-32:] not in log
    assert f"/v1/{secret[:-32]}…" in log  # The refused path is told, without what proves a key.
