"""Signs in for every request, because a request may end its own session or delete its account."""

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
        # Twice, because another worker may have created the account in between.
        for path in ("login", "register", "login"):
            response = post(path)
            if response.ok:
                return response.json()["access"]
        raise RuntimeError(f"cannot sign in: {response.status_code} {response.text}")

    def set(self, case, access, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {access}"}
