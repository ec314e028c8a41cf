// Orders in every state that pages show. `say(field, plain)` chooses the text of each field, so
// that the same stories can be made with hostile text.

import { orderPath } from './api.mjs';

const plainly = (_, plain) => plain;

function person(say) {
  return {
    id: say('customer id', 'customer-7'),
    first_name: say('first name', 'Sæbjørg'),
    last_name: say('last name', 'Ødegård'),
    email: say('e-mail', 'saebjorg@example.no'),
    phone_number: say('phone', '+4799999999'),
  };
}

function address(say) {
  return {
    ...person(say),
    address_line: say('address', 'Storgata 1'),
    address_line_2: say('address, second line', 'Oppgang B'),
    postal_code: say('postal code', '0155'),
    postal_place: say('postal place', 'Oslo'),
    country: say('country', 'NO'),
    comment: say('address comment', 'Ring twice'),
  };
}

function store(say) {
  return {
    id: say('store id', 'store-1'),
    name: say('store name', 'Storgata'),
    email: say('store e-mail', 'storgata@example.no'),
    phone_number: say('store phone', '+4722222222'),
    address: address(say),
  };
}

function line(say, gross_amount, more = {}) {
  return {
    id: say('item id', '175938'),
    gross_amount,
    quantity: 2,
    tax_lines: [{ amount: Math.trunc(gross_amount / 5), percentage: 25 }],
    description: say('description', 'Stablestol for utendørsbruk'),
    description_alias: say('description alias', 'Stablestol'),
    unit: say('unit', 'pcs'),
    comment: say('line comment', 'In green'),
    status: say('line status', 'packed'),
    store: { id: say('line store id', 'store-2'), name: say('line store', 'Havn') },
    ...more,
  };
}

function reversal(say) {
  return {
    related_item: { line_id: 1, type: say('related type', 'reversed') },
    reversed_reason: say('reversed reason', 'Replace item'),
  };
}

function details(say) {
  return {
    processed_by: say('processed by', 'Gateway'),
    payment_details: {
      psp: say('gateway', 'Bambora'),
      payment_id: say('payment id', 'PID-7'),
      payment_product: say('payment product', 'Card'),
      payment_product_type: say('payment product type', 'Credit'),
      card: {
        brand: say('card brand', 'Visa'),
        masked_pan: say('masked pan', '411111******1111'),
        type: say('card type', 'Debit'),
      },
    },
    metadata: { [say('metadata key', 'batch')]: say('metadata value', '2026-11') },
  };
}

/// An order with every field that an order can have.
function everything(say, gross_amounts) {
  const items = gross_amounts.map((amount) => line(say, amount, amount < 0 ? reversal(say) : {}));
  return {
    currency: 'NOK',
    items,
    customer: person(say),
    shipping_address: address(say),
    billing_address: address(say),
    store: store(say),
    comment: say('comment', 'Leave it at the door'),
    courier_id: say('courier', 'bring'),
    delivery_id: say('delivery', '70300000000000001'),
    delivery_at: '2026-12-01T10:00:00+01:00',
    salesperson_name: say('salesperson', 'Kåre'),
    metadata: { [say('metadata key', 'campaign')]: say('metadata value', 'autumn') },
  };
}

/// Adds comments and services' events to an order.
async function addHistory(api, id, say) {
  const item = { line_id: 2, status: say('new line status', 'packed') };
  await api.update(id, { courier_id: say('new courier', 'bring'), items: [item] });
  const step = {
    service: say('service', 'kitchen'),
    service_status: say('service status', 'ready_for_pickup'),
    description: say('service description', 'Food prepared'),
  };
  await api.say('events', id, step);
  await api.say('events', id, { ...step, state: 'error' });
  await api.say('comments', id, { comment: say('comment by staff', 'Rang; home after four.') });
}

export const stories = {
  /// Every kind of operation, one that failed, a line that gives back, something left to capture.
  async full(api, say = plainly, more = {}) {
    const order = { ...everything(say, [39_800, 120_000, -5_000]), ...more };
    const id = await api.order(order);
    const how = details(say);
    await api.record('authorizations', id, { 1: 39_800, 2: 120_000, 3: -5_000 }, how);
    await api.record('captures', id, { 2: 60_000 }, { ...how, success: false });
    await api.record('captures', id, { 1: 39_800 }, how);
    await api.record('captures', id, { 2: 60_000 }, how);
    await api.record('refunds', id, { 1: 19_900 }, how);
    await api.record('cancellations', id, { 2: 20_000 }, how);
    await addHistory(api, id, say);
    return id;
  },

  /// Two authorizations, with operations that name them.
  async many(api, say = plainly) {
    const order = everything(say, [40_000, 60_000]);
    const id = await api.order(order, { multiple_authorizations: true });
    const how = details(say);
    const [first, second] = [
      await api.record('authorizations', id, { 1: 40_000, 2: 10_000 }, how),
      await api.record('authorizations', id, { 2: 50_000 }, how),
    ];
    const of = (authorization) => ({ ...how, authorization_id: authorization.id });
    await api.record('captures', id, { 1: 40_000 }, of(first));
    await api.record('refunds', id, { 1: 10_000 }, of(first));
    await api.record('cancellations', id, { 2: 20_000 }, of(second));
    return id;
  },

  /// An order without operations and with few fields.
  async bare(api) {
    return api.order({ currency: 'JPY', items: [{ id: 'tea', gross_amount: 1_200 }] });
  },

  /// An order with a session that was paid, and one that can be.
  async sessions(api, say = plainly) {
    const id = await api.order(everything(say, [30_000, 20_000]));
    const url = { return_url: 'https://shop.example/thanks' };
    const start = (line_id) => {
      const body = { items: [{ line_id }], profile_id: 'p', url };
      return api.send('POST', `${orderPath(id)}/sessions`, body);
    };
    const paid = await start(1);
    const body = JSON.stringify({ outcome: 'approve' });
    const headers = { 'content-type': 'application/json' };
    await fetch(`${paid.url}/outcome`, { method: 'POST', headers, body });
    await start(2);
    return id;
  },

  /// An order that is fully reserved.
  async reserved(api, say = plainly) {
    const id = await api.order(everything(say, [25_000]));
    await api.record('authorizations', id, { 1: 25_000 }, details(say));
    return id;
  },

  async closed(api, say = plainly) {
    const id = await stories.reserved(api, say);
    await api.record('captures', id, { 1: 25_000 });
    await api.change('close', id);
    return id;
  },

  async cancelled(api, say = plainly) {
    const id = await stories.reserved(api, say);
    await api.change('cancel', id, { cancelled_reason: 'fraud' });
    return id;
  },
};

/// The order of this story in the book, made once.
export function story(book, name) {
  if (!book.stories.has(name)) book.stories.set(name, stories[name](book.api));
  return book.stories.get(name);
}
