// Every page, in every state that looks different. A new page is one entry here: the tests of
// accessibility, hostile text, weight and keyboard, and the screenshots, walk this list.
//
// name:   the name of its screenshots
// kind:   the kind of its book: demo (by default), empty, several or fresh
// as:     the role of the signed-in user; signed out without it
// story:  the order on the page
// own:    true if the steps change the order, so that no other page may show it
// path:   its path, from { account, orders, order }, which are paths and ids
// steps:  actions on the page that lead to the state
// status: its status, 200 by default

import assert from 'node:assert/strict';

import { follow, press, visit } from './harness.mjs';
import { stories, story } from './stories.mjs';

const orderPage = ({ orders, order }) => `${orders}/${order}`;
const form = (path) => ({ orders, order }) => `${orders}/${order}/${path}`;
const captures = form('captures');
const ordersPage = ({ orders }) => orders;
const hooksPage = ({ account }) => `/admin/${account}/hooks`;
const newHook = ({ account }) => `/admin/${account}/hooks/new`;
const newRule = ({ account }) => `/admin/${account}/payout-rules/new`;

export const pages = [
  { name: 'sign-in', path: () => '/admin/sign-in' },
  { name: 'sign-in-refused', path: () => '/admin/sign-in', steps: signInWrongly },
  { name: 'link', path: () => '/admin/link?ticket=unknown' },
  {
    name: 'link-refused',
    path: () => '/admin/link?ticket=unknown',
    steps: (page) => press(page, 'Sign in'),
    status: 400,
  },
  { name: 'setup', kind: 'fresh', path: () => '/admin/setup?ticket=unknown' },
  {
    name: 'setup-refused',
    kind: 'fresh',
    path: () => '/admin/setup?ticket=unknown',
    steps: setUpWrongly,
    status: 400,
  },
  { name: 'setup-second-owner', path: () => '/admin/setup?ticket=unknown' },
  { name: 'orders', as: 'owner', path: ordersPage },
  { name: 'orders-to-capture', as: 'packer', path: ({ orders }) => `${orders}?tab=to-capture` },
  { name: 'orders-none-found', as: 'viewer', path: ({ orders }) => `${orders}?search=nobody` },
  { name: 'orders-wrong-date', as: 'owner', path: ({ orders }) => `${orders}?from=tomorrow` },
  {
    name: 'orders-filtered',
    as: 'owner',
    path: ({ orders }) => `${orders}?status=open&currency=NOK&sort=total-high`,
  },
  { name: 'orders-wrong-filter', as: 'owner', path: ({ orders }) => `${orders}?status=lost` },
  { name: 'accounts', kind: 'several', as: 'owner', path: () => '/admin' },
  { name: 'orders-empty', kind: 'empty', as: 'owner', path: ordersPage },
  { name: 'order-full', as: 'owner', story: 'full', path: orderPage },
  { name: 'order-many-authorizations', as: 'manager', story: 'many', path: orderPage },
  { name: 'order-bare', as: 'viewer', story: 'bare', path: orderPage },
  { name: 'order-reserved', as: 'packer', story: 'reserved', path: orderPage },
  { name: 'order-closed', as: 'owner', story: 'closed', path: orderPage },
  { name: 'order-cancelled', as: 'owner', story: 'cancelled', path: orderPage },
  {
    name: 'order-refused',
    as: 'owner',
    story: 'closed',
    path: orderPage,
    steps: closeAgain,
    status: 409,
  },
  {
    name: 'order-recorded',
    as: 'owner',
    story: 'reserved',
    own: true,
    path: captures,
    steps: captureAPart,
  },
  { name: 'capture', as: 'packer', story: 'reserved', path: captures },
  { name: 'capture-full', as: 'owner', story: 'full', path: captures },
  { name: 'capture-problem', as: 'owner', story: 'reserved', path: captures, steps: typeNonsense },
  {
    name: 'capture-conflict',
    as: 'owner',
    story: 'reserved',
    own: true,
    path: captures,
    steps: comeSecond,
    status: 409,
  },
  { name: 'capture-choice', as: 'owner', story: 'many', path: captures },
  { name: 'capture-chosen', as: 'owner', story: 'many', path: captures, steps: chooseTheLast },
  { name: 'capture-signed-out', as: 'packer', story: 'reserved', path: captures, steps: sendLate },
  { name: 'capture-kept', as: 'packer', story: 'reserved', path: captures, steps: signInAgain },
  { name: 'capture-nothing-left', as: 'owner', story: 'closed', path: captures },
  { name: 'refund', as: 'owner', story: 'full', path: form('refunds') },
  { name: 'release', as: 'owner', story: 'reserved', path: form('cancellations') },
  { name: 'reservation', as: 'manager', story: 'bare', path: form('authorizations') },
  { name: 'order-sessions', as: 'owner', story: 'sessions', path: orderPage },
  { name: 'webhooks-none', kind: 'empty', as: 'owner', path: hooksPage },
  { name: 'webhooks', as: 'owner', path: newHook, steps: listHooks },
  { name: 'webhook-new', as: 'manager', path: newHook },
  { name: 'webhook-refused', as: 'owner', path: newHook, steps: makeWrongHook, status: 400 },
  { name: 'webhook-made', as: 'owner', path: newHook, steps: makeHook },
  { name: 'webhook-paused', as: 'owner', path: newHook, steps: pauseHook },
  { name: 'delivery', as: 'owner', path: newHook, steps: openDelivery },
  { name: 'payouts', as: 'owner', path: ({ account }) => `/admin/${account}/payouts` },
  { name: 'payouts-sums', as: 'owner', path: newRule, steps: sumPayouts },
  { name: 'payout-rules', as: 'owner', path: ({ account }) => `/admin/${account}/payout-rules` },
  { name: 'payout-rule-new', as: 'owner', path: newRule },
  { name: 'payout-rule-refused', as: 'owner', path: newRule, steps: makeWrongRule, status: 400 },
  { name: 'payout-rule', as: 'owner', path: newRule, steps: openRule },
  { name: 'packing-slip', as: 'packer', story: 'full', path: form('packing-slip') },
  { name: 'receipt', as: 'viewer', story: 'full', path: form('receipt') },
  { name: 'not-found', as: 'owner', path: ({ orders }) => `${orders}/NOSUCH`, status: 404 },
  {
    name: 'not-allowed',
    as: 'owner',
    story: 'reserved',
    path: orderPage,
    steps: closeWithOldForm,
    status: 403,
  },
];

/// The kinds of pages that show an order, each once, for use with other orders.
export function orderPages() {
  const about = pages.filter((entry) => entry.story && !entry.steps);
  return [...new Map(about.map((entry) => [entry.path, entry])).values()];
}

/// The other pages that show stored text, each once.
export function accountPages() {
  return pages.filter((entry) => entry.as && !entry.story && !entry.kind && !entry.steps);
}

/// The path of an entry's page for this order.
export function pathOf(entry, account, orderId = '') {
  const orders = `/admin/${account}/orders`;
  return entry.path({ account, orders, order: encodeURIComponent(orderId) });
}

/// Brings a page that was opened with `entry.kind` and `entry.as` to the entry's state.
export async function show(page, entry) {
  const { steps, status = 200 } = entry;
  const orderId = await orderOf(page.book, entry);
  await visit(page, pathOf(entry, page.book.account, orderId), steps ? 200 : status);
  if (steps) await steps(page, orderId);
  assert.equal(page.lastStatus, status, `the status of ${entry.name}`);
}

async function orderOf(book, { story: name, own }) {
  if (!name) return '';
  return own ? stories[name](book.api) : story(book, name);
}

async function captureAPart(page) {
  await page.locator('input[name="amount-1"]').fill('100');
  await page.getByText('Record capture 100.00').waitFor();
  await follow(page, page.locator('#review button[value=record]'));
}

async function typeNonsense(page) {
  await page.getByText('More: gateway').click();
  await page.locator('input[name="amount-1"]').fill('much');
  await page.locator('input[name="card_masked_pan"]').fill('4242 4242 4242 4242');
  await page.locator('textarea').fill('no value');
  await page.locator('#note-1 .problem').waitFor();
}

async function comeSecond(page, orderId) {
  await page.book.api.record('captures', orderId, { 1: 10_000 });
  await follow(page, page.locator('#review button[value=record]'));
}

async function signInWrongly(page) {
  await page.getByLabel('E-mail').fill('somebody@example.no');
  await page.getByLabel('Password').fill('not the password');
  await press(page, 'Sign in');
}

async function setUpWrongly(page) {
  await page.getByLabel('Name of your shop').fill(' ');
  await page.getByLabel('Your e-mail').fill('owner@example.no');
  await page.getByLabel('A password').fill('long enough to do');
  await press(page, 'Become the owner');
}

/// Presses a button that the page still offers although the order is closed already.
async function closeAgain(page, orderId) {
  await page.book.api.change('open', orderId);
  await page.reload();
  await page.book.api.change('close', orderId);
  await press(page, 'Close order');
}

async function closeWithOldForm(page) {
  const tokens = page.locator('main input[name=form_token]');
  await tokens.evaluateAll((inputs) => inputs.forEach((input) => (input.value = 'old')));
  await press(page, 'Close order');
}

async function chooseTheLast(page) {
  await page.locator('.choices input').last().check();
  await press(page, 'Show this reservation');
}

/// Sends a form after its session has ended.
async function sendLate(page) {
  await page.context().clearCookies();
  await follow(page, page.locator('#review button[value=record]'));
}

async function signInAgain(page) {
  await sendLate(page);
  const { email, password } = page.book.users.packer;
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await press(page, 'Sign in');
}

/// Makes a hook whose receiver is the server itself, which answers every delivery with a 404.
async function makeHook(page) {
  await page.getByLabel('Address of the receiver').fill(`${page.book.url}/no-such-receiver`);
  await press(page, 'Make the webhook and send it a ping');
  await page.getByText('Copy the secret now.').waitFor();
}

async function makeWrongHook(page) {
  await page.getByLabel('Address of the receiver').fill('ftp://shop.example');
  for (const box of await page.locator('input[name=events]').all()) await box.uncheck();
  await page.getByLabel('Only these fields').fill('a/b');
  await page.getByLabel('Secret').fill('whsec_!');
  await press(page, 'Make the webhook and send it a ping');
}

async function listHooks(page) {
  await makeHook(page);
  await press(page, 'All webhooks', 'link');
}

async function pauseHook(page) {
  await makeHook(page);
  await press(page, 'Pause');
}

async function openDelivery(page) {
  await makeHook(page);
  const ping = page.getByRole('link', { name: /^ping of / });
  for (let tries = 0; tries < 100 && !(await page.getByText('404, ').isVisible()); tries += 1) {
    await press(page, 'All webhooks', 'link');
    await follow(page, page.locator('tbody a').first());
  }
  await follow(page, ping.first());
}

let rules = 0;

/// Makes a rule for a store that has none.
async function makeRule(page, store = `store-${(rules += 1)}-${page.book.url.split(':').pop()}`) {
  await page.getByLabel('Id of the store').fill(store);
  await page.getByLabel('Destinations').fill('seller-of-the-marketplace-with-a-name 87.5\nfee 2.5');
  await page.getByLabel('Of what these leave over').fill('charity 33.3333\nowner 66.6667');
  await press(page, 'Make the rule');
  return store;
}

async function openRule(page) {
  const store = await makeRule(page);
  await press(page, store, 'link');
}

async function makeWrongRule(page) {
  await page.getByLabel('Id of the store').fill('x');
  await page.getByLabel('Currency').fill('XXZ');
  await page.getByLabel('Destinations').fill('seller\nfee 200');
  await press(page, 'Make the rule');
}

async function sumPayouts(page) {
  const store = { id: await makeRule(page) };
  const items = [{ id: 'vase', gross_amount: 123_450, store }];
  const order = { currency: 'NOK', items };
  const id = await page.book.api.order(order, { payout: true });
  await page.book.api.record('captures', id, { 1: 100_000 });
  await page.book.api.record('refunds', id, { 1: 20_000 });
  await follow(page, page.locator('.rail').getByRole('link', { name: 'Payouts' }));
}
