"""Keycloak's realm and the embedded store, as the launcher starts them."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import jwt
import pytest
from pymongo import MongoClient
from pymongo.errors import DuplicateKeyError, PyMongoError

from deploy.local import mongo
from deploy.local.keycloak import REALM
from deploy.local.stack import Stack
from deploy.local.summary import PASSWORD, users

pytestmark = pytest.mark.stack

START_SECONDS = 60


def endpoint(name: str) -> str:
    return f"{os.environ['OIDC_ISSUER']}/protocol/openid-connect/{name}"


def log_in(user: str, client: str = "tyrsky-cli") -> httpx2.Response:
    wish = {"grant_type": "password", "client_id": client, "username": user, "password": PASSWORD}
    return httpx2.post(endpoint("token"), data=wish, timeout=30)


@pytest.mark.parametrize("user", users(), ids=lambda user: user["username"])
def test_a_token_says_whose_somebody_is_and_what_they_may(user: dict[str, Any]):
    answer = log_in(user["username"])
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert claims["iss"] == os.environ["OIDC_ISSUER"]
    assert claims["aud"] == os.environ["OIDC_AUDIENCE"]
    assert [claims["college"]] == user["attributes"]["college"]
    assert claims["roles"] == user["realmRoles"]
    assert claims["sub"]


def test_the_realm_has_both_colleges_and_every_role():
    held = {(user["attributes"]["college"][0], user["realmRoles"][0]) for user in users()}
    roles = ("outreach", "coordinator", "admin", "operator", "municipal-partner")
    assert held >= {("vaao", role) for role in roles} | {("sasky", "outreach")}
    assert '"realm": "tyrsky"' in REALM.read_text()


def test_passwords_are_for_the_dev_client_alone():
    assert log_in("vaao-outreach").is_success
    assert log_in("vaao-outreach", client="tyrsky-web").json()["error"] == "unauthorized_client"


def test_the_web_client_comes_back_to_this_machine_alone_and_with_a_proof():
    def ask(**more: str) -> httpx2.Response:
        wish = {"client_id": "tyrsky-web", "response_type": "code", "scope": "openid"}
        return httpx2.get(endpoint("auth"), params={**wish, **more}, timeout=30)

    proof = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    here = "http://localhost:3000/back"
    assert ask(redirect_uri=here, **proof).status_code == 200
    assert ask(redirect_uri="http://elsewhere.example/back", **proof).status_code == 400
    assert "Missing+parameter%3A+code_challenge_method" in ask(redirect_uri=here).headers["Location"]


def test_a_device_can_be_logged_in():
    answer = httpx2.post(endpoint("auth/device"), data={"client_id": "tyrsky-cli"}, timeout=30).json()
    assert answer["verification_uri_complete"].startswith(f"{os.environ['OIDC_ISSUER']}/device")


@pytest.fixture
def start_store(stack: Stack) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts the embedded store, on the same file each time."""
    part = mongo.part(stack)
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(part.command, env={**os.environ, **part.env})
        started.append(process)
        until = time.monotonic() + START_SECONDS
        while part.ready():
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_what_the_store_acknowledged_outlives_its_kill(
    stack: Stack, start_store: Callable[[], subprocess.Popen[bytes]]
):
    acknowledged = 0
    for _ in range(3):
        process = start_store()
        with MongoClient[dict[str, object]](stack.mongo_uri, serverSelectionTimeoutMS=2000) as client:
            rows = client["test"]["rows"]
            assert rows.count_documents({}) == acknowledged
            for number in range(100):
                rows.insert_one({"_id": acknowledged + number})
            rows.update_one({"_id": 0}, {"$inc": {"rounds": 1}})
            os.kill(process.pid, signal.SIGKILL)
            acknowledged += 100
            process.wait()
            with pytest.raises(PyMongoError):
                rows.insert_one({"_id": "too late"})
    start_store()
    with MongoClient[dict[str, object]](stack.mongo_uri, serverSelectionTimeoutMS=2000) as client:
        rows = client["test"]["rows"]
        assert rows.count_documents({}) == acknowledged
        assert rows.find_one({"_id": 0}) == {"_id": 0, "rounds": 3}
        with pytest.raises(DuplicateKeyError):
            rows.insert_one({"_id": 0})
