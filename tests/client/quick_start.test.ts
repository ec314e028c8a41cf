// Clients that four generators made from the API's document follow an order from its draft to its
// refund, and get the reason why a second refund is refused. This shows that the document is enough
// to write a program for the API.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

import openapiFetch from 'openapi-fetch';

import { book, stopBooks } from '../browser/books.mjs';
import * as heyApi from './made/hey_api';
import { client as heyApiClient } from './made/hey_api/client.gen';
import type { paths } from './made/openapi_typescript';

after(stopBooks);

const items = [{ id: '175938', line_id: 1, quantity: 2, gross_amount: 39800 }];
const draftOfChairs = { order: { currency: 'NOK' as const, items } };
const all = { items: [{ line_id: 1, amount: 39800 }] };
const half = { items: [{ line_id: 1, amount: 19900 }] };

test('a client of @hey-api/openapi-ts takes an order from its draft to its refund', async () => {
  const shop = await book('demo');
  const path = { aid: shop.account };
  heyApiClient.setConfig({ baseUrl: shop.url });
  const basic = { Authorization: `Basic ${shop.api.basic}` };
  const made = { path, headers: basic, throwOnError: true as const };
  const token = await heyApi.aidAuthsOauthTokenPost(made);
  heyApiClient.setConfig({ baseUrl: shop.url, auth: token.data.access_token });

  const sent = { throwOnError: true as const };
  const draft = await heyApi.aidDraftOrdersPost({ path, body: draftOfChairs, ...sent });
  const completing = { path: { ...path, id: draft.data.id }, ...sent };
  const completed = await heyApi.aidDraftOrdersIdCompletePut(completing);
  const ofOrder = { path: { ...path, order_id: completed.data.orders[0].order_id } };
  await heyApi.aidOrdersIdAuthorizationPost({ ...ofOrder, body: all, ...sent });
  const captured = await heyApi.aidOrdersIdCapturePost({ ...ofOrder, body: all, ...sent });
  assert.equal(captured.data.amount, 39800);
  assert.equal(captured.data.success, true);
  await heyApi.aidOrdersIdRefundsPost({ ...ofOrder, body: half, ...sent });

  const refused = await heyApi.aidOrdersIdRefundsPost({ ...ofOrder, body: all });
  assert.equal(refused.response?.status, 409);
  assert.equal(refused.error?.error.code, 'amount_exceeds_remaining');

  const order = await heyApi.aidOrdersIdGet({ ...ofOrder, ...sent });
  assert.equal(order.data.payment_status, 'partially_refunded');
  const query = { payment_status: ['partially_refunded' as const], limit: 1 };
  const page = await heyApi.aidOrdersGet({ path, query, ...sent });
  assert.equal(page.data.orders[0].order_id, ofOrder.path.order_id);
});

test('a client of openapi-typescript takes an order from its draft to its refund', async () => {
  const shop = await book('demo');
  const path = { aid: shop.account };
  const base = '/v1/accounts/{aid}' as const;
  const api = openapiFetch<paths>({ baseUrl: shop.url });
  const basic = { Authorization: `Basic ${shop.api.basic}` };
  const token = await api.POST(`${base}/auth/token`, { params: { path }, headers: basic });
  api.use({
    onRequest({ request }) {
      request.headers.set('Authorization', `Bearer ${token.data?.access_token}`);
    },
  });

  const draft = await api.POST(`${base}/shopping/draft_orders`, {
    params: { path },
    body: draftOfChairs,
  });
  assert.ok(draft.data);
  const completed = await api.PUT(`${base}/shopping/draft_orders/{id}/complete`, {
    params: { path: { ...path, id: draft.data.id } },
  });
  assert.ok(completed.data);
  const params = { path: { ...path, order_id: completed.data.orders[0].order_id } };
  const order = `${base}/shopping/orders/{order_id}` as const;
  await api.POST(`${order}/authorizations`, { params, body: all });
  const captured = await api.POST(`${order}/captures`, { params, body: all });
  assert.equal(captured.data?.amount, 39800);
  await api.POST(`${order}/refunds`, { params, body: half });

  const refused = await api.POST(`${order}/refunds`, { params, body: all });
  assert.equal(refused.response.status, 409);
  assert.equal(refused.error?.error.code, 'amount_exceeds_remaining');

  const read = await api.GET(order, { params });
  assert.equal(read.data?.payment_status, 'partially_refunded');
});

for (const [generator, script] of [
  ['openapi-python-client', 'openapi_python_client_flow.py'],
  ['openapi-generator', 'openapi_generator_flow.py'],
]) {
  test(`a client of ${generator} takes an order from its draft to its refund`, async () => {
    const shop = await book('demo');
    const [id, secret] = atob(shop.api.basic).split(':');
    const args = ['python', script, shop.url, shop.account, id, secret];
    const env = { ...process.env, PYTHONPATH: 'made', PYTHONDONTWRITEBYTECODE: '1' };
    await promisify(execFile)('../venv', args, { env });
  });
}
