"""Signs in for every request, so that one which ended its own session or account leaves the next one nothing to suffer."""

import os

import requests
import schemathesis

API = os.environ["API"]
ADA = {"email": "ada@example.com", "password": "violet harbor lantern 42"}


def post(path):
    return requests.post(f"{API}/api/auth/{path}/", json=ADA, timeout=30)


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    def get(self, case, context):
        # Again, because another worker may have made the account in between.
        for path in ("login", "register", "login"):
            answer = post(path)
            if answer.ok:
                return answer.json()["access"]
        raise RuntimeError(f"cannot sign in: {answer.status_code} {answer.text}")

    def set(self, case, access, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {access}"}
