// Hostile text in addresses and in forms that come back: it is shown as text, and as nothing else.

import assert from 'node:assert/strict';

import { expectHarmless } from './harmless.mjs';
import { NARROW, press, trial, trials, visit } from './harness.mjs';
import { payloads } from './payloads.mjs';

trials('hostile addresses', () => {
  for (const [name, payload] of Object.entries(payloads)) {
    trial(`${name} is text wherever an address says it`, async (open) => {
      const encoded = encodeURIComponent(payload);
      const page = await open({ as: 'owner' });
      await page.setViewportSize(NARROW);
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
      const fresh = await open({ kind: 'fresh' });
      await fresh.setViewportSize(NARROW);
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

/// Writes into every box what the browser alone would refuse.
async function fillAnyway(page, text) {
  await page.locator('form').evaluate((form, value) => {
    form.noValidate = true;
    form.querySelectorAll('input:not([type=hidden])').forEach((input) => (input.value = value));
  }, text);
}
