// The README's quick start with a client library that is generated from the API's document and
// type-checked. It shows that the document is enough to write a client.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { book, stopBooks } from '../browser/books.mjs';
import {
  aidAuthsOauthTokenPost as makeToken,
  aidDraftOrdersIdCompletePut as complete,
  aidDraftOrdersPost as makeDraft,
  aidOrdersGet as listOrders,
  aidOrdersIdCapturePost as capture,
  aidOrdersIdGet as readOrder,
} from './client';
import { client } from './client/client.gen';

after(stopBooks);

test('a generated client records a capture and is told why a second is refused', async () => {
  const shop = await book('demo');
  const path = { aid: shop.account };
  client.setConfig({ baseUrl: shop.url });
  const basic = { Authorization: `Basic ${shop.api.basic}` };
  const token = await makeToken({ path, headers: basic, throwOnError: true });
  client.setConfig({ baseUrl: shop.url, auth: token.data.access_token });

  const items = [{ id: '175938', line_id: 1, quantity: 2, gross_amount: 39800 }];
  const body = { order: { currency: 'NOK' as const, items } };
  const draft = await makeDraft({ path, body, throwOnError: true });
  const made = await complete({ path: { ...path, id: draft.data.id }, throwOnError: true });
  const [{ order_id }] = made.data.orders;

  const wanted = { items: [{ line_id: 1, amount: 39800 }] };
  const captured = await capture({ path: { ...path, order_id }, body: wanted, throwOnError: true });
  assert.equal(captured.data.amount, 39800);
  assert.equal(captured.data.success, true);

  const again = await capture({ path: { ...path, order_id }, body: wanted });
  assert.equal(again.response?.status, 409);
  assert.equal(again.error?.error.code, 'amount_exceeds_remaining');

  const order = await readOrder({ path: { ...path, order_id }, throwOnError: true });
  assert.equal(order.data.payment_status, 'paid');
  const query = { payment_status: ['paid' as const], limit: 1 };
  const page = await listOrders({ path, query, throwOnError: true });
  assert.equal(page.data.orders[0].order_id, order_id);
});
