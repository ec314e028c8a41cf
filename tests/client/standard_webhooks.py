"""Verifies deliveries of webhooks with the Python library for the Standard Webhooks specification.

Reads a JSON array from standard input, whose members have `secret`, `headers` and `raw`, the body as
it came. Fails unless every signature is right, and every one over another body is wrong.
"""

import json
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

deliveries = json.load(sys.stdin)
for delivery in deliveries:
    secret = delivery["secret"]
    # The library decodes secrets that are text, so one that is not base64 is given as bytes.
    receiver = Webhook(secret if secret.startswith("whsec_") else secret.encode())
    receiver.verify(delivery["raw"], delivery["headers"], json_parse=False)
    try:
        receiver.verify(delivery["raw"] + " ", delivery["headers"], json_parse=False)
    except WebhookVerificationError:
        continue
    sys.exit("a changed body was verified")
print(len(deliveries))
