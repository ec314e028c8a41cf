"""An order from its draft to its refund, with the client that openapi-generator makes.

Arguments: the server's URL, the account, a client's id and its secret.
"""

import sys

import openapi_generator as api
from openapi_generator.exceptions import ConflictException

url, aid, client_id, client_secret = sys.argv[1:]
config = api.Configuration(host=url, username=client_id, password=client_secret)
client = api.ApiClient(config)
token = api.TokenApi(client).aid_auths_oauth_token_post(aid)
config.access_token = token.access_token

item = api.ItemRequest(id="175938", line_id=1, quantity=2, gross_amount=39800)
draft = api.DraftRequest(order=api.OrderRequest(currency=api.Currency.NOK, items=[item]))
made = api.DraftsApi(client).aid_draft_orders_post(aid, draft)
completed = api.DraftsApi(client).aid_draft_orders_id_complete_put(aid, made.id)
order_id = completed.orders[0].order_id


def line(amount):
    """The items of an operation on the order's only line."""
    return [api.OperationItemRequest(line_id=1, amount=amount)]


authorization = api.OperationRequest(items=line(39800))
api.AuthorizationsApi(client).aid_orders_id_authorization_post(aid, order_id, authorization)
whole = api.SettlementRequest(items=line(39800))
captures = api.CapturesApi(client)
captured = captures.aid_orders_id_capture_post(aid, order_id, whole)
assert captured.amount == 39800 and captured.success, captured
refunds = api.RefundsApi(client)
refunds.aid_orders_id_refunds_post(aid, order_id, api.SettlementRequest(items=line(19900)))
try:
    refunds.aid_orders_id_refunds_post(aid, order_id, whole)
except ConflictException as refused:
    assert refused.data.error.code == "amount_exceeds_remaining", refused.data
else:
    raise AssertionError("refunded more than was captured")

order = api.OrdersApi(client).aid_orders_id_get(aid, order_id, include_events=[api.IncludedEvents.TRUE])
assert order.payment_status == api.PaymentStatus.PARTIALLY_REFUNDED, order
assert order.events, order
