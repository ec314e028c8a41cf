// The demo's payment: the printed link, the page of the shop to which the payer returns, and what the
// back office shows then.

import assert from 'node:assert/strict';

import { ownBook } from './books.mjs';
import { expectWords, press, trialWithAndWithoutScript, trials, visit } from './harness.mjs';

trials('payments', () => {
  trialWithAndWithoutScript('a payer approves on the printed link', async (open) => {
    const from = await ownBook('demo');
    const [, order, link] = from.said.match(/^Pay order (\S+) [^\n]*\n(http\S+\/pay\/\S+)$/m);
    const page = await open({ from });
    await page.goto(link);
    await expectWords(page, 'Test payment: no money moves', `To pay, order ${order}`);
    await page.getByRole('button', { name: /^Approve [0-9]/ }).click();
    await page.waitForURL(/\/demo\/return\?/);
    const transaction = new URL(page.url()).searchParams.get('transaction_id');
    assert.match(transaction, /^[0-9a-f-]{36}$/);
    await expectWords(page, `transaction_id ${transaction}`, `merchant_reference ${order}`);
    await page.goto(link);
    await expectWords(page, 'Paid', 'was approved on');

    const office = await open({ from, as: 'owner' });
    const path = `/admin/${from.account}/orders/${encodeURIComponent(order)}`;
    await visit(office, path);
    await expectWords(office, 'Reserved', 'Payment sessions', `Reservation ${transaction}`);
    await from.stop();
  });

  trialWithAndWithoutScript('a manager makes a webhook, resumes it, deletes it', async (open) => {
    const from = await ownBook('demo');
    const page = await open({ from, as: 'manager' });
    await visit(page, `/admin/${from.account}/orders`);
    await press(page, 'Webhooks', 'link');
    await press(page, 'Make a webhook', 'link');
    await page.getByLabel('Address of the receiver').fill(`${from.url}/no-such-receiver`);
    await press(page, 'Make the webhook and send it a ping');
    const secret = await page.locator('.notice code').innerText();
    assert.match(secret, /^whsec_/);
    await page.reload();
    await expectWords(page, 'Webhooks', 'no-such-receiver');
    assert.ok(!(await page.content()).includes(secret), 'reloading shows the secret again');
    assert.equal(await page.locator('tbody tr').count(), 1, 'reloading makes no second webhook');
    await page.locator('tbody a').click();
    await press(page, 'Pause');
    await expectWords(page, 'Paused since', 'because somebody paused it.');
    await press(page, 'Resume from now on');
    await expectWords(page, 'Active');
    await page.getByText('Delete this webhook').click();
    await press(page, 'Delete');
    await expectWords(page, 'This shop has no webhooks.');
    await from.stop();
  });
});
