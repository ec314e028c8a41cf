// The part of the JSON API that the tests need to make orders.

/// How often a request is repeated while the server does not know a new client yet. The server
/// looks for new clients four times a second, so this is enough.
const TOKEN_TRIES_MAX = 100;

export class Api {
  constructor(url, account, clientId, clientSecret) {
    this.base = `${url}/v1/accounts/${account}`;
    this.basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  }

  /// Sends a request and returns the answer's body; an error for any status but 2xx.
  async send(method, path, body) {
    this.token ??= await this.makeToken();
    const headers = { authorization: `Bearer ${this.token}` };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const sent = { method, headers, body: JSON.stringify(body) };
    const answer = await fetch(`${this.base}/shopping${path}`, sent);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }

  async makeToken() {
    const sent = { method: 'POST', headers: { authorization: `Basic ${this.basic}` } };
    for (let tries = 0; ; tries += 1) {
      const answer = await fetch(`${this.base}/auth/token`, sent);
      if (answer.ok) return (await answer.json()).access_token;
      if (tries === TOKEN_TRIES_MAX) throw new Error(`no token: ${answer.status}`);
    }
  }

  /// Makes an order from a draft and returns its id.
  async order(order, options = {}) {
    const short = { generate_order_id: 'ALPHANUMERIC_9', split_draft: false, ...options };
    const draft = await this.send('POST', '/draft_orders', { order, options: short });
    const done = await this.send('PUT', `/draft_orders/${draft.id}/complete`);
    return done.orders[0].order_id;
  }

  /// Records an operation; `amounts` by line number.
  async record(kind, orderId, amounts, more = {}) {
    const items = Object.entries(amounts).map(([line, amount]) => ({ line_id: +line, amount }));
    return this.send('POST', `${orderPath(orderId)}/${kind}`, { items, ...more });
  }

  /// Adds a comment or a service's event to an order.
  async say(kind, orderId, body) {
    return this.send('POST', `${orderPath(orderId)}/${kind}`, body);
  }

  async update(orderId, body) {
    return this.send('PUT', orderPath(orderId), body);
  }

  async change(word, orderId, body) {
    return this.send('POST', `${orderPath(orderId)}/${word}`, body);
  }
}

/// The path of an order below `/shopping`.
export function orderPath(orderId) {
  return `/orders/${encodeURIComponent(orderId)}`;
}
