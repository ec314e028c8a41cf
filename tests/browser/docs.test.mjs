// The API's reference page: it works without a network, and sends its requests to this server.

import assert from 'node:assert/strict';

import { trial, trials } from './harness.mjs';

trials('the reference of the API', () => {
  trial('shows every operation and tries one against this server', async (open) => {
    const page = await open();
    await page.goto('/docs');
    const document = await (await fetch(`${page.book.url}/openapi.json`)).json();
    const operations = Object.values(document.paths).flatMap((path) =>
      Object.keys(path).filter((method) => method !== 'parameters'),
    );
    await page.locator('.opblock').first().waitFor();
    assert.equal(await page.locator('.opblock').count(), operations.length);

    await page.getByRole('button', { name: 'Authorize', exact: true }).first().click();
    const bearer = page.locator('.auth-container').filter({ hasText: 'bearer' });
    await bearer.getByRole('textbox').fill(await page.book.api.makeToken());
    await bearer.getByRole('button', { name: /apply/i }).click();
    await page.getByRole('button', { name: 'Close', exact: true }).first().click();

    const list = page.locator('#operations-orders-aid_orders_get');
    await list.locator('.opblock-summary-control').click();
    await list.getByRole('button', { name: /try it out/i }).click();
    await list.getByPlaceholder('aid').fill(page.book.account);
    await list.getByRole('button', { name: /execute/i }).click();
    const answer = list.locator('.live-responses-table .response-col_status').last();
    await answer.filter({ hasText: '200' }).waitFor();
  });

  trial('links to the document without script', async (open) => {
    const page = await open({ script: false });
    await page.goto('/docs');
    const link = page.getByRole('link', { name: 'openapi.yaml' });
    const document = await fetch(new URL(await link.getAttribute('href'), page.book.url));
    assert.match(await document.text(), /openapi: 3/);
  });
});
