// Hostile text in URLs and in refused forms is shown only as text.

import assert from 'node:assert/strict';

import { expectHarmless } from './harmless.mjs';
import { NARROW, openPage, press, trial, trials, visit } from './harness.mjs';
import { payloads } from './payloads.mjs';

trials('hostile addresses', () => {
  // One session for all texts: opening one takes longer than the test.
  const sessions = {};
  const session = (name, wanted) => (sessions[name] ??= openNarrow(wanted));

  for (const [name, payload] of Object.entries(payloads)) {
    trial(`${name} is only text on every page whose address contains it`, async () => {
      const encoded = encodeURIComponent(payload);
      await tryOrders(await session('owner', { as: 'owner' }), encoded);
      const fresh = await session('fresh', { kind: 'fresh' });
      for (const path of ['sign-in?next', 'link?ticket', 'setup?ticket']) {
        await visit(fresh, `/admin/${path}=${encoded}`);
        await expectHarmless(fresh);
      }
      await fillAnyway(fresh, payload);
      await press(fresh, 'Become the owner');
      await expectHarmless(fresh);
    });
  }
});

async function openNarrow(wanted) {
  const page = await openPage(wanted);
  await page.setViewportSize(NARROW);
  return page;
}

async function tryOrders(page, encoded) {
  const orders = `/admin/${page.book.account}/orders`;
  const filters = ['search', 'from', 'to', 'status', 'currency', 'store', 'sort'];
  await visit(page, `${orders}?${filters.map((key) => `${key}=${encoded}`).join('&')}`);
  await expectHarmless(page);
  for (const key of ['tab', 'after']) {
    await visit(page, `${orders}?${key}=${encoded}`, 404);
    await expectHarmless(page);
  }
  const missing = await page.goto(`${orders}/${encoded}`);
  assert.ok([400, 404].includes(missing.status()), `${missing.status()}`);
  await expectHarmless(page);
}

/// Enters text that only the browser would refuse into every field.
async function fillAnyway(page, text) {
  await page.locator('form').evaluate((form, value) => {
    form.noValidate = true;
    form.querySelectorAll('input:not([type=hidden])').forEach((input) => (input.value = value));
  }, text);
}
