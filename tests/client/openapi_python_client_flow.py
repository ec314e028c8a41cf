"""An order from its draft to its refund, with the client that openapi-python-client makes.

Arguments: the server's URL, the account, a client's id and its secret.
"""

import base64
import sys

from python_client import AuthenticatedClient, models
from python_client.api.authorizations import aid_orders_id_authorization_post as authorize
from python_client.api.captures import aid_orders_id_capture_post as capture
from python_client.api.drafts import aid_draft_orders_id_complete_put as complete
from python_client.api.drafts import aid_draft_orders_post as make_draft
from python_client.api.orders import aid_orders_id_get as read_order
from python_client.api.refunds import aid_orders_id_refunds_post as refund
from python_client.api.token import aid_auths_oauth_token_post as make_token

url, aid, client_id, client_secret = sys.argv[1:]
basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
token = make_token.sync(aid, client=AuthenticatedClient(url, basic, prefix="Basic"))
client = AuthenticatedClient(url, token.access_token)

item = models.ItemRequest(id="175938", line_id=1, quantity=2, gross_amount=39800)
order = models.OrderRequest(currency=models.Currency.NOK, items=[item])
draft = make_draft.sync(aid, client=client, body=models.DraftRequest(order=order))
completed = complete.sync(aid, draft.id, client=client)
order_id = completed.orders[0].order_id


def line(amount):
    """The items of an operation on the order's only line."""
    return [models.OperationItemRequest(line_id=1, amount=amount)]


whole, half = models.SettlementRequest(items=line(39800)), models.SettlementRequest(items=line(19900))
authorization = models.OperationRequest(items=line(39800))
assert authorize.sync(aid, order_id, client=client, body=authorization).success
captured = capture.sync(aid, order_id, client=client, body=whole)
assert captured.amount == 39800 and captured.success, captured
assert refund.sync(aid, order_id, client=client, body=half).success
refused = refund.sync_detailed(aid, order_id, client=client, body=whole)
assert refused.status_code == 409, refused
assert refused.parsed.error.code == "amount_exceeds_remaining", refused

read = read_order.sync(aid, order_id, client=client)
assert read.payment_status == models.PaymentStatus.PARTIALLY_REFUNDED, read
