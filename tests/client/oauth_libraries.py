"""Tokens that two OAuth libraries get, with credentials in HTTP Basic and in the body.

Arguments: the token endpoint, the list of orders, a client's id and its secret.
"""

import sys

from authlib.integrations.requests_client import OAuth2Session as Authlib
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session as RequestsOauthlib

token_url, orders, client_id, client_secret = sys.argv[1:]


def assert_works(session):
    """Reads a list with the token that the session has got."""
    answer = session.get(orders)
    assert answer.status_code == 200, answer.text


for method in ("client_secret_basic", "client_secret_post"):
    with Authlib(client_id, client_secret, token_endpoint_auth_method=method) as session:
        session.fetch_token(token_url, grant_type="client_credentials")
        assert_works(session)

for arguments in (
    {"auth": HTTPBasicAuth(client_id, client_secret)},
    {"auth": HTTPBasicAuth(client_id, client_secret), "include_client_id": True},
    {"client_id": client_id, "client_secret": client_secret},
    {"client_secret": client_secret, "include_client_id": True},
):
    with RequestsOauthlib(client=BackendApplicationClient(client_id)) as session:
        session.fetch_token(token_url, **arguments)
        assert_works(session)
