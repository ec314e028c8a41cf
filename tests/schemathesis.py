"""What `tests/schemathesis` adds to Schemathesis."""

import itertools
import json
import os
import re

import schemathesis
from schemathesis.specs.openapi.checks import positive_data_acceptance

# What may be wrong with a request that fits the document, because JSON Schema cannot say it.
BEYOND_THE_SCHEMA = {
    "unknown_line",  # the order has no such line
    "unknown_order",  # there is no order of that name to change
    "duplicate_line",  # a line is named twice
    "wrong_sign",  # the amount has not the sign of what the line is worth
    "amount_out_of_range",  # the items together leave the range
    "unmasked_card_number",  # the digits pass Luhn's test
    "not_changeable",  # a known field is sent otherwise than it stands
    "unknown_authorization",  # the order has no such authorization
    "nul_character",  # somewhere in what is kept as it comes
    "too_deep",  # levels, counted over the whole body
}
# The same, where the code is too broad to be let pass everywhere.
BEYOND_THE_SCHEMA_AT = {
    ("starting_after", "bad_value"),  # the list has nothing with that token
    ("/audience", "bad_value"),  # another account than that of the path
    ("/order/items", "empty"),  # a draft may be kept without lines, but not completed
    ("/options/replace", "required"),  # the draft names no order to replace, now or before
    ("/line_id", "bad_value"),  # another line than that of the path
}
# What a whole answer may say: the key was used before, the body has too many bytes.
BEYOND_THE_SCHEMA_CODES = {"idempotency_key_reused", "body_too_large"}


@schemathesis.check
def valid_requests_are_accepted(ctx, response, case):
    """`positive_data_acceptance`, but for what is refused for a reason beyond the schema."""
    if response.status_code in (400, 413, 422):
        error = response.json()["error"]
        problems = error.get("errors", [])
        if error["code"] in BEYOND_THE_SCHEMA_CODES or problems and all(map(is_beyond, problems)):
            return None
    return positive_data_acceptance(ctx, response, case)


def is_beyond(problem):
    """Whether JSON Schema could not have said this."""
    named = (problem["path"], problem["code"])
    return problem["code"] in BEYOND_THE_SCHEMA or named in BEYOND_THE_SCHEMA_AT


KEY = re.compile(r"[!-~]([ -~]{0,240}[!-~])?")
LINE = {"id": "chair", "line_id": 1, "gross_amount": 39800}
count = itertools.count()
THERE_IS = json.loads(os.environ["THERE_IS"])


@schemathesis.hook
def before_call(context, case, kwargs):
    """Makes requests that something can come of."""
    # Under one key, all requests but the first would be a 422.
    key = (case.headers or {}).get("Idempotency-Key")
    if isinstance(key, str) and KEY.fullmatch(key):
        case.headers["Idempotency-Key"] = f"{key}-{next(count)}"
    # Dictionaries are not used in this phase, which would ask for the order "0" throughout.
    phase = case.meta.phase if case.meta else None
    if phase and phase.name.value == "coverage" and is_not_of_the_path(phase.data):
        here = {name: THERE_IS[name] for name in case.path_parameters if name in THERE_IS}
        case.path_parameters.update(here)
    # A draft without lines is good, but no link leads on from it.
    creates = case.operation.definition.raw.get("operationId") == "aid_draft_orders_post"
    if creates and phase and phase.name.value == "stateful":
        order = case.body.get("order") if isinstance(case.body, dict) else None
        if isinstance(order, dict) and not order.get("items"):
            order["items"] = [dict(LINE)]


def is_not_of_the_path(data):
    """Whether the request is made up to try something else than its path."""
    location = data.parameter_location
    return location is None or location.value != "path"
