// Receivers that others wrote check what the demo sends: the libraries for the Standard Webhooks
// specification of npm and PyPI, and the two ways in which guides of the published API check
// `event-signature`: over the body as it came, and over what JavaScript makes of it. Callbacks of
// sessions are checked as the published guide of `Dintero-Signature` says.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';

import { Webhook, WebhookVerificationError } from 'standardwebhooks';

import { book, stopBooks } from '../browser/books.mjs';

type Delivery = { method: string; target: string; headers: Record<string, string>; raw: string };

/// Receives deliveries; each is given once, in the order of arrival.
class Receiver {
  private waiting: ((delivery: Delivery) => void)[] = [];
  private come: Delivery[] = [];
  private server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    response.end();
    const raw = Buffer.concat(parts).toString('utf8');
    const { method = '', url: target = '' } = request;
    const delivery = { method, target, headers: plain(request.headers), raw };
    const waiting = this.waiting.shift();
    if (waiting) waiting(delivery);
    else this.come.push(delivery);
  });

  async start() {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  async next(): Promise<Delivery> {
    const next = this.come.shift();
    return next ?? new Promise((resolve) => this.waiting.push(resolve));
  }

  stop() {
    this.server.close();
    this.server.closeAllConnections();
  }
}

const receivers: Receiver[] = [];

after(async () => {
  receivers.forEach((receiver) => receiver.stop());
  await stopBooks();
});

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/// Members that JavaScript writes differently from how they were sent, or could be expected to.
const ODD = `{
  "numbers": [1.0, 1.10, 100, 1e2, 1E+21, 1e21, 1e-7, 0.0000001, -0, -0.0, 5e-324, 0.1,
    9007199254740992, 123456789012345680000, 1.7976931348623157e308, 4.35, 0.30000000000000004],
  "keys": {"b": 1, "10": 1, "9": 1, "a": 1, "4294967294": 1, "4294967295": 1, "01": 1, "-1": 1,
    "1.5": 1, "__proto__": 1, "": 1},
  "texts": ["blåbær 🍓", "\\u2028\\u2029", "\\u0001\\u001f\\u007f\\u0080", "\\/", "\\ud83c\\udf53",
    "\\b\\f\\n\\r\\t\\"\\\\", "</script>", "\\ufeff", "é e\\u0301"],
  "nested": {"2": {"2": [], "1": {}}, "1": null}
}`;

async function demo() {
  const shop = await book('demo');
  const receiver = new Receiver();
  receivers.push(receiver);
  const url = await receiver.start();
  const token = await shop.api.makeToken();
  const send = async (path: string, text?: string) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(shop.api.base + path, { method: 'POST', headers, body: text });
    const body = await answer.text();
    assert.ok(answer.ok, `${path}: ${answer.status} ${body}`);
    return body === '' ? undefined : JSON.parse(body);
  };
  const hook = async (secret?: string) => {
    const body = { config: { url, secret }, events: ['shopping_draft_add'] };
    const made = await send('/hooks/subscriptions', JSON.stringify(body));
    const ping = await receiver.next();
    assert.equal(ping.headers.event, 'ping');
    return { id: made.id, secret: secret ?? (made.config.secret.value as string), ping };
  };
  const draft = async () => {
    const item = '{"id": "a", "gross_amount": 100}';
    const order = `{"currency": "NOK", "items": [${item}], "metadata": ${ODD}, "odd": ${ODD}}`;
    await send('/shopping/draft_orders', `{"order": ${order}}`);
    return receiver.next();
  };
  return { send, hook, draft };
}

function sha1(secret: string, text: string) {
  return createHmac('sha1', secret).update(text).digest('hex');
}

/// Checks a delivery in every way that JavaScript programs do.
function check(delivery: Delivery, secret: string) {
  const { headers, raw } = delivery;
  const isEncoded = secret.startsWith('whsec_');
  // Given text, the library would take only the low byte of each character.
  const ofBytes = () => new Webhook(new TextEncoder().encode(secret), { format: 'raw' });
  const library = isEncoded ? new Webhook(secret) : ofBytes();
  assert.deepEqual(library.verify(raw, headers), JSON.parse(raw));
  assert.throws(() => library.verify(raw + ' ', headers), WebhookVerificationError);
  const resent = JSON.stringify(JSON.parse(raw));
  assert.equal(resent, raw);
  assert.equal(headers['event-signature'], sha1(secret, raw));
  assert.equal(headers['event-signature'], sha1(secret, resent));
}

/// Checks deliveries with the Python library.
async function checkInPython(deliveries: (Delivery & { secret: string })[]) {
  const args = ['python', 'standard_webhooks.py'];
  const printed = await new Promise<string>((resolve, reject) => {
    const child = execFile('../venv', args, (error, out) => (error ? reject(error) : resolve(out)));
    child.stdin?.end(JSON.stringify(deliveries));
  });
  assert.equal(printed.trim(), String(deliveries.length));
}

for (const [name, chosen] of [
  ['that was made here', undefined],
  ['that is any text', 'hemmelig ✓ + / = whsec'],
  ['that is a key of the specification', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
] as const) {
  test(`receivers of others verify deliveries with a secret ${name}`, async () => {
    const { hook, draft } = await demo();
    const { secret, ping } = await hook(chosen);
    const sent = await draft();
    assert.ok(sent.raw.includes('blåbær'), 'the body has what was sent');
    check(ping, secret);
    check(sent, secret);
    await checkInPython([ping, sent].map((delivery) => ({ ...delivery, secret })));
  });
}

test('during a rotation both secrets verify, and event-signature has the new one', async () => {
  const { send, hook, draft } = await demo();
  const { id, secret: older } = await hook();
  const rotated = await send(`/hooks/subscriptions/${id}/rotate`);
  const newer: string = rotated.config.secret.value;
  assert.notEqual(newer, older);
  const sent = await draft();
  check(sent, newer);
  new Webhook(older).verify(sent.raw, sent.headers);
  await checkInPython([newer, older].map((secret) => ({ ...sent, secret })));
});

for (const method of ['GET', 'POST']) {
  test(`the ${method} of a session's callback is signed as the published guide says`, async () => {
    const shop = await book('demo');
    const receiver = new Receiver();
    receivers.push(receiver);
    const words = ['account', 'edit', shop.account, '--callback-secret', 'new'];
    const secret: string = shop.run(words).callback_secret;
    const own = `z=1&a=b%20c&a=%C3%A9+%7E*&Z=2&e=&method=${method}`;
    const callback_url = `${await receiver.start()}cb?${own}`;
    const order = await shop.api.order({ currency: 'NOK', items: [{ id: 'a', gross_amount: 100 }] });
    const url = { return_url: 'https://shop.example/', callback_url };
    const asked = { items: [{ line_id: 1 }], profile_id: 'p', url };
    const session = await shop.api.send('POST', `/orders/${order}/sessions`, asked);
    const headers = { 'content-type': 'application/json' };
    const answer = { method: 'POST', headers, body: '{"outcome": "approve"}' };
    const paid = await fetch(`${session.url}/outcome`, answer);
    assert.equal(paid.status, 200);

    const sent = await receiver.next();
    assert.equal(sent.method, method);
    assert.ok(sent.target.startsWith(`/cb?${own}&transaction_id=`), sent.target);
    const { hostname, pathname, searchParams } = new URL(sent.target, callback_url);
    assert.equal(searchParams.get('merchant_reference'), order);
    const { transaction_id } = await shop.api.send('GET', `/orders/${order}/sessions/${session.id}`);
    assert.equal(searchParams.get('transaction_id'), transaction_id);
    const told = sent.raw === '' ? undefined : JSON.parse(sent.raw).id;
    assert.equal(told, method === 'POST' ? transaction_id : undefined);
    const [, timestamp, signature] = sent.headers['dintero-signature'].match(
      /^t=([0-9]+),v0-hmac-sha256=([0-9a-f]{64})$/,
    )!;
    searchParams.sort();
    const signed = [timestamp, shop.account, method, hostname, pathname, searchParams];
    const expected = createHmac('sha256', secret).update(signed.join('\n')).digest('hex');
    assert.equal(signature, expected);
  });
}
