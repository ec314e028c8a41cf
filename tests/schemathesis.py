"""Hooks and checks that `tests/schemathesis` adds to Schemathesis."""

import atexit
import collections
import itertools
import json
import os
import re

import requests
import schemathesis
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import positive_data_acceptance

TRIED = json.loads(os.environ["TRIED"])
HERE, ELSEWHERE = TRIED["here"], TRIED["elsewhere"]
session = requests.Session()

# Errors that a request may have although it matches the document, because JSON Schema cannot state
# these rules.
BEYOND_THE_SCHEMA = {
    "unknown_line",  # the order has no such line
    "unknown_order",  # the order to change does not exist
    "duplicate_line",  # a line is named twice
    "wrong_sign",  # the amount's sign differs from that of the line's payable amount
    "amount_out_of_range",  # the sum of the items is out of range
    "discounts_exceed_gross_amount",  # the sum of an item's discounts
    "bad_percentage",  # more than four decimals
    "not_100_percent",  # the sum of a payout rule's percentages
    "unmasked_card_number",  # the digits pass Luhn's test
    "not_changeable",  # a fixed field is sent with another value than the stored one
    "unknown_authorization",  # the order has no such authorization
    "nul_character",  # in a field that is stored as it was sent
    "too_deep",  # the nesting of the whole body
}
# More such errors. Their codes have other causes too, so they are accepted only at these paths.
BEYOND_THE_SCHEMA_AT = {
    ("starting_after", "bad_value"),  # the token is not in the list
    ("search", "bad_value"),  # more than eight words, which punctuation separates too
    ("/audience", "bad_value"),  # not the account in the path
    ("/order/items", "empty"),  # a draft may be kept without lines, but not completed
    ("/options/replace", "required"),  # the draft names no order to replace, in this request or an earlier one
    ("/authorization_id", "required"),  # the order has several
    ("/line_id", "bad_value"),  # not the line in the path
    ("/config/url", "bad_value"),  # not a URL with a host, which `format: uri` does not tell
    ("/secret", "bad_value"),  # with characters that no header may have
    ("/config/secret", "bad_value"),
    ("/config/secret/value", "bad_value"),
}
# More such errors of a change of a draft, whose stored options may allow splitting it.
BEYOND_THE_SCHEMA_OF_CHANGES = {("/order/order_id", "bad_value")}
# Codes of a whole answer: the key was used before, the body has too many bytes.
BEYOND_THE_SCHEMA_CODES = {"idempotency_key_reused", "body_too_large"}


@schemathesis.check
def valid_requests_are_accepted(ctx, response, case):
    """Like `positive_data_acceptance`, but allows refusals that JSON Schema cannot state."""
    if response.status_code in (400, 413, 422):
        error = response.json()["error"]
        problems = error.get("errors", [])
        beyond = [is_beyond(case.method, problem) for problem in problems]
        if error["code"] in BEYOND_THE_SCHEMA_CODES or beyond and all(beyond):
            return None
    return positive_data_acceptance(ctx, response, case)


def is_beyond(method, problem):
    """True if JSON Schema cannot state the broken rule."""
    named = (problem["path"], problem["code"])
    if method == "PUT" and named in BEYOND_THE_SCHEMA_OF_CHANGES:
        return True
    return problem["code"] in BEYOND_THE_SCHEMA or named in BEYOND_THE_SCHEMA_AT


@schemathesis.check
def another_account_is_refused(ctx, response, case):
    """Sends an accepted request again with a token of another account. It must be refused for the
    first account, and for the other account too if it names a resource of the first.

    The check `object_level_authorization` finds only reads whose answer has the id in a field.
    """
    if not 200 <= response.status_code < 300 or "aid" not in (case.path_parameters or {}):
        return None
    if response.request.headers.get("Authorization") != f"Bearer {HERE['token']}":
        return None
    request = requests.Request(
        response.request.method, response.request.url, response.request.headers, data=response.request.body
    ).prepare()
    request.headers["Authorization"] = f"Bearer {ELSEWHERE['token']}"
    refused_as(request, 403)
    # The other account has no resource with this id. It may list its own and make new drafts.
    if case.path_parameters.keys() & {"id", "order_id"}:
        request.url = request.url.replace(f"/{HERE['aid']}/", f"/{ELSEWHERE['aid']}/", 1)
        refused_as(request, 404)
    return None


def refused_as(request, status):
    """Fails unless the request gets this status."""
    told = session.send(request).status_code
    if told != status:
        where = f"{request.method} {request.url}"
        raise AssertionError(f"another account is refused: {where} gave it {told}, not {status}")


class Things:
    """Resources of the account: an order with an operation of each kind, and an open draft.

    A request can be accepted only if its resource exists. A resource that a request has used up is
    made again when another request needs it.
    """

    LINES = [{"id": f"chair-{nth}", "line_id": nth, "gross_amount": 39800} for nth in range(1, 4)]
    DRAFT = {"order": {"currency": "NOK", "customer": {"id": "customer-7"}, "items": LINES},
             "store": {"id": "torget"}}
    KINDS = ("authorizations", "captures", "refunds", "cancellations")

    def __init__(self):
        self.ids = {}
        self.closed = False

    def send(self, method, path, body):
        url = f"{TRIED['url']}/v1/accounts/{HERE['aid']}/shopping/{path}"
        authorization = {"Authorization": f"Bearer {HERE['token']}"}
        answer = session.request(method, url, json=body, headers=authorization)
        answer.raise_for_status()
        return answer.json()

    def draft(self):
        """The id of an open draft."""
        if "draft" not in self.ids:
            self.ids["draft"] = self.send("POST", "draft_orders", self.DRAFT)["id"]
        return self.ids["draft"]

    def order(self, closed=False):
        """The id of an order, open or closed."""
        if "order" not in self.ids:
            draft = self.send("POST", "draft_orders", self.DRAFT)["id"]
            made = self.send("PUT", f"draft_orders/{draft}/complete", {})["orders"][0]["id"]
            self.ids["order"], self.closed = made, False
            for amount, kind in zip((30000, 20000, 5000, 1000), self.KINDS):
                operation = {"items": [{"line_id": 1, "amount": amount}]}
                self.ids[kind] = self.send("POST", f"orders/{made}/{kind}", operation)["id"]
        if self.closed != closed:
            self.send("POST", f"orders/{self.ids['order']}/{'close' if closed else 'open'}", {})
            self.closed = closed
        return self.ids["order"]

    def comment(self):
        """The id of a comment on the order."""
        if "comment" not in self.ids:
            said = self.send("POST", f"orders/{self.order()}/comments", {"comment": "Rang."})
            self.ids["comment"] = said["comments"][-1]["id"]
        return self.ids["comment"]

    def named_by(self, operation):
        """Values for the parameters of this operation's path that name existing resources."""
        *_, last = operation.path.split("/")
        here = {}
        for name in re.findall(r"{(\w+)}", operation.path):
            if name == "aid":
                here[name] = HERE["aid"]
            elif name == "id":
                here[name] = self.draft()
            elif name == "order_id":
                here[name] = self.order(closed=last == "open")
            elif name == "comment_id":
                here[name] = self.comment()
            elif name == "operation_id":
                here[name] = self.ids[operation.path.split("/")[-2]]
            elif name == "line_id":
                here[name] = 1
            elif name in ("customer_id", "store_id"):
                here[name] = {"customer_id": "customer-7", "store_id": "torget"}[name]
        return here

    def used_by(self, case):
        """Forgets the resources that an accepted request has used up."""
        operation = case.operation
        *_, last = operation.path.split("/")
        named = case.path_parameters or {}
        if named.get("order_id", named.get("id")) not in (self.ids.get("order"), self.ids.get("draft")):
            return
        if operation.method == "delete" or last in ("complete", "{id}", "{line_id}"):
            kind = {"{comment_id}": "comment"}.get(last, "draft")
            if operation.method != "get":
                self.ids.pop(kind, None)
        elif last == "cancel":
            self.ids = {"draft": self.ids["draft"]} if "draft" in self.ids else {}
        elif last in ("close", "open"):
            self.closed = last == "close"


KEY = re.compile(r"[!-~]([ -~]{0,240}[!-~])?")
count = itertools.count()
of_operation = collections.Counter()
things = Things()
orders_made = []


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changes requests so that they can be accepted."""
    # Under one key, all requests but the first would be a 422.
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and KEY.fullmatch(key):
        case.headers["Idempotency-Key"] = f"{key}-{next(count)}"
    if case.meta is None or "aid" not in (case.path_parameters or {}):
        return
    phase = case.meta.phase
    if phase.name.value == "stateful":
        case.path_parameters["aid"] = HERE["aid"]
        # Order ids come only from links; the first step of a chain takes the id of a completed order.
        if orders_made and case.path_parameters.get("order_id", orders_made[-1]) not in orders_made:
            case.path_parameters["order_id"] = orders_made[-1]
        return
    of_operation[case.operation.label] += 1
    if phase.name.value == "coverage":
        names_what_is_there = is_not_of_the_path(phase.data)
    else:
        # One request of four keeps its generated path parameters.
        path = case.meta.components.get(ParameterLocation.PATH)
        names_what_is_there = path is None or path.mode.is_positive
        made_up = phase.name.value == "fuzzing" and of_operation[case.operation.label] % 4 == 0
        if names_what_is_there and made_up:
            case.path_parameters["aid"] = HERE["aid"]
            return
    if names_what_is_there:
        case.path_parameters.update(things.named_by(case.operation))
    if case.meta.generation.mode.is_positive:
        # A generated token is in no list.
        (case.query or {}).pop("starting_after", None)
        if case.operation.path.endswith(Things.KINDS) and case.method == "POST":
            for line_id, item in enumerate(case.body["items"][:3], 1):
                item["line_id"] = line_id


def is_not_of_the_path(data):
    """True if the request tests something other than its path."""
    location = data.parameter_location
    return location is None or location.value != "path"


EVERY = TRIED["every"]
of_kind = collections.Counter()


@schemathesis.hook
def filter_case(context, case):
    """Leaves out most of the coverage cases in a short run, but never the first of a kind."""
    if case.meta is None or case.meta.phase.name.value != "coverage":
        return True
    what = case.meta.phase.data
    kind = (case.operation.label, case.meta.generation.mode, what.scenario, what.parameter_location)
    of_kind[kind] += 1
    return (of_kind[kind] - 1) % EVERY == 0


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Narrows the document, for the run of links, to drafts and operations that chains can continue
    from.

    Every request that matches the narrower document matches the full one. A random draft would be
    refused when it is completed, because it has no lines or names an order to change; a random
    operation would name lines that do not exist.
    """
    if TRIED["run"] != "links":
        return
    schemas = raw_schema["components"]["schemas"]
    line = {
        "type": "object",
        "required": ["id", "gross_amount"],
        "properties": {
            "id": {"type": "string"},
            "gross_amount": {"$ref": "#/components/schemas/Amount"},
        },
        "additionalProperties": False,
    }
    order = {
        "type": "object",
        "required": ["currency", "items"],
        "properties": {
            "currency": {"$ref": "#/components/schemas/Currency"},
            "items": {"type": "array", "minItems": 1, "maxItems": 1, "items": line},
        },
        "additionalProperties": False,
    }
    options = {
        name: schemas["OptionsRequest"]["properties"][name]
        for name in ("generate_order_id", "split_draft", "multiple_authorizations")
    }
    schemas["DraftRequest"] = {
        "type": "object",
        "required": ["order"],
        "properties": {
            "order": order,
            "options": {"type": "object", "properties": options, "additionalProperties": False},
        },
        "additionalProperties": False,
    }
    schemas["OperationRequest"]["properties"]["items"]["maxItems"] = 1
    # The document cannot have this: in OpenAPI, an expression can only be a link's whole body.
    whole_line = {
        "items": [
            {
                "line_id": "$response.body#/orders/0/items/0/line_id",
                "amount": "$response.body#/orders/0/items/0/remaining_amount",
            }
        ]
    }
    for link in ("CompletedAuthorize", "CompletedCapture"):
        raw_schema["components"]["links"][link]["requestBody"] = whole_line


told = collections.Counter()


@schemathesis.hook
def after_call(context, case, response):
    """Counts the answers, and records the resources that the request has used up or made."""
    # Checks send some requests again, without a token.
    if case.meta is None or response.request.headers.get("Authorization") is None:
        return
    accepted = 200 <= response.status_code < 300
    phase = case.meta.phase.name.value
    if case.meta.generation.mode.is_positive:
        told[phase, case.operation.label, accepted] += 1
    if not accepted:
        return
    if phase != "stateful":
        things.used_by(case)
    elif case.operation.path.endswith("/complete"):
        orders_made.append(response.json()["orders"][0]["id"])


@atexit.register
def write_answers():
    """Writes the numbers of accepted and refused valid requests to a file for `tests/schemathesis`."""
    with open(TRIED["answers"], "w") as file:
        json.dump([[*key, requests] for key, requests in sorted(told.items())], file)
