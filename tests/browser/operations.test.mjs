// Recording operations with the form: they are shown for review and recorded once, also after going
// back, reloading or pressing twice.

import assert from 'node:assert/strict';

import {
  expectWords,
  follow,
  press,
  trial,
  trialWithAndWithoutScript,
  trials,
  visit,
  words,
} from './harness.mjs';
import { stories } from './stories.mjs';

const orderPath = (page, id) => `/admin/${page.book.account}/orders/${id}`;
const box = (page, line) => page.locator(`input[name="amount-${line}"]`);
const quantityBox = (page, line) => page.locator(`input[name="quantity-${line}"]`);
const recordButton = (page) => page.locator('#review button[value=record]');

/// Signs a user in and opens the page of an order of this story.
async function openOrder(open, as, made, more) {
  const page = await open({ as });
  const id = await stories[made](page.book.api, undefined, more);
  await visit(page, orderPath(page, id));
  return { page, id };
}

function hasScript(page) {
  return page.evaluate(() => document.documentElement.classList.contains('script'));
}

/// Waits for the sum on the button: script updates it; without script it must be requested.
async function expectSum(page, sum) {
  if (await hasScript(page)) {
    await recordButton(page).filter({ hasText: sum }).waitFor();
  } else {
    await press(page, 'Update the sum');
  }
  assert.equal(plain(await recordButton(page).innerText()), sum);
}

const plain = (text) => text.replace(/\s+/g, ' ').trim();

async function amountOf(page, id, sum) {
  return (await page.book.api.send('GET', `/orders/${id}`))[sum];
}

async function operations(page, id, kind) {
  return (await page.book.api.send('GET', `/orders/${id}/${kind}`))[kind];
}

trials('operations', () => {
  trialWithAndWithoutScript('a packer captures all that is left with two presses', async (open) => {
    const { page, id } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await press(page, 'Record capture 250.00 NOK');
    await expectWords(page, "Recorded a capture of 250.00 NOK. The order's payment is now: Captured.");
    assert.equal(await amountOf(page, id, 'captured_amount'), 25_000);
  });

  trialWithAndWithoutScript('a part is captured and the rest released', async (open) => {
    const { page, id } = await openOrder(open, 'manager', 'reserved');
    await press(page, 'Capture', 'link');
    await box(page, 1).fill('120,5');
    await expectSum(page, 'Record capture 120.50 NOK');
    await expectWords(page, 'This captures 120.50 NOK of 250.00 NOK.', '129.50 NOK stays reserved.');
    await follow(page, recordButton(page));
    await expectWords(page, '129.50 NOK stays reserved.');
    await press(page, 'Release it instead', 'link');
    await press(page, 'Record release 129.50 NOK');
    await expectWords(page, 'Recorded a release of 129.50 NOK.');
    assert.equal(await amountOf(page, id, 'cancelled_amount'), 12_950);
  });

  trialWithAndWithoutScript('a quantity becomes its share of the amount', async (open) => {
    const { page } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    // Script empties the box that is not typed in. Without script, two filled boxes are refused.
    if (!(await hasScript(page))) await box(page, 1).fill('');
    await quantityBox(page, 1).fill('1');
    await expectSum(page, 'Record capture 125.00 NOK');
    assert.equal(await box(page, 1).inputValue(), '');
    await expectWords(page, '1 of 2 is 125.00');
    await follow(page, recordButton(page));
    await expectWords(page, 'Recorded a capture of 125.00 NOK.');
  });

  trial('of amount and quantity, the one typed last counts', async (open) => {
    const { page } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await quantityBox(page, 1).fill('1');
    await expectSum(page, 'Record capture 125.00 NOK');
    await box(page, 1).fill('100');
    await expectSum(page, 'Record capture 100.00 NOK');
    assert.equal(await quantityBox(page, 1).inputValue(), '');
  });

  trialWithAndWithoutScript('an amount with two readings is asked about', async (open) => {
    const { page } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await box(page, 1).fill('1.000');
    if (!(await hasScript(page))) await press(page, 'Update the sum');
    const asked = page.locator('#note-1 .problem');
    await asked.filter({ hasText: 'Did you mean' }).waitFor();
    assert.equal(plain(await asked.innerText()), 'Did you mean 1 000.00 or 1.00?');
    await follow(page, page.locator('button[name="reading-1"]').last());
    assert.equal(await box(page, 1).inputValue(), '1.00');
    assert.equal(plain(await recordButton(page).innerText()), 'Record capture 1.00 NOK');
  });

  trialWithAndWithoutScript('Clear and All remaining fill the boxes', async (open) => {
    const { page } = await openOrder(open, 'packer', 'full');
    await press(page, 'Capture', 'link');
    await press(page, 'Clear');
    assert.equal(await box(page, 2).inputValue(), '');
    await expectWords(page, 'Enter an amount on at least one line.');
    await press(page, 'All remaining');
    assert.equal(await box(page, 2).inputValue(), '400.00');
    await expectWords(page, 'give back');
  });

  trialWithAndWithoutScript('refunds and reservations have the same form', async (open) => {
    const { page, id } = await openOrder(open, 'owner', 'reserved');
    await page.book.api.record('captures', id, { 1: 25_000 });
    await page.reload();
    await press(page, 'Refund', 'link');
    await box(page, 1).fill('50');
    await page.getByLabel('Why is it refunded?').fill('Scratched');
    await expectSum(page, 'Record refund 50.00 NOK');
    await follow(page, recordButton(page));
    await expectWords(page, 'Recorded a refund of 50.00 NOK.', 'Partly refunded', 'Scratched');
    const bare = await stories.bare(page.book.api);
    await visit(page, orderPath(page, bare));
    await press(page, 'Reserve', 'link');
    await box(page, 1).fill('1200');
    await press(page, 'Record reservation 1 200 JPY');
    await expectWords(page, 'Recorded a reservation of 1 200 JPY.');
  });

  trialWithAndWithoutScript('going back and reloading record no second operation', async (open) => {
    const { page, id } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    const form = page.url();
    await box(page, 1).fill('100');
    await expectSum(page, 'Record capture 100.00 NOK');
    await follow(page, recordButton(page));
    const done = page.url();
    await page.reload();
    await expectWords(page, 'Recorded a capture of 100.00 NOK.');
    await visit(page, form);
    assert.equal(page.url(), done, 'the form that was recorded shows what it recorded');
    assert.equal((await operations(page, id, 'captures')).length, 1);
  });

  trial('the back button leads to the recorded operation', async (open) => {
    const { page, id } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await press(page, 'Record capture 250.00 NOK');
    const done = page.url();
    await page.goBack();
    await page.waitForURL(done);
    await expectWords(page, 'Recorded a capture of 250.00 NOK.');
    assert.equal((await operations(page, id, 'captures')).length, 1);
  });

  trial('a double click records one capture', async (open) => {
    const { page, id } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await recordButton(page).dblclick();
    // The second click cancels the first one's navigation; the test looks at the last page.
    await page.getByText('Recorded a capture of 250.00 NOK.').waitFor();
    assert.match(page.url(), /recorded=/);
    assert.equal((await operations(page, id, 'captures')).length, 1);
  });

  trialWithAndWithoutScript('the second of two users keeps their input', async (open) => {
    const { page, id } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await box(page, 1).fill('200');
    await expectSum(page, 'Record capture 200.00 NOK');
    await page.book.api.record('captures', id, { 1: 10_000 });
    await follow(page, recordButton(page));
    assert.equal(page.lastStatus, 409);
    assert.equal(await box(page, 1).inputValue(), '200');
    assert.equal(await box(page, 1).getAttribute('aria-invalid'), 'true');
    await expectWords(
      page,
      'The order changed while this form was open. Nothing was recorded.',
      'API client Demo captured 100.00 on line 1',
      'Only 150.00 is left.',
    );
    await box(page, 1).fill('150');
    if (await recordButton(page).count()) assert.fail('a refused form has no button to record');
    if (await page.locator('.without-script').first().isVisible()) await press(page, 'Look again');
    await recordButton(page).filter({ hasText: '150.00' }).waitFor();
    await follow(page, recordButton(page));
    await expectWords(page, 'Recorded a capture of 150.00 NOK.');
  });

  trialWithAndWithoutScript('an invalid amount is marked and tied to its box', async (open) => {
    const { page } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await box(page, 1).fill('1.0055');
    if (await page.locator('.without-script').first().isVisible()) {
      await press(page, 'Update the sum');
    }
    await page.locator('#note-1 .problem').waitFor();
    assert.equal(await box(page, 1).getAttribute('aria-invalid'), 'true');
    const note = await box(page, 1).getAttribute('aria-describedby');
    assert.equal(plain(await page.locator(`#${note}`).innerText()), 'NOK has 2 decimals.');
    assert.equal(await recordButton(page).count(), 0);
  });

  trialWithAndWithoutScript('an invalid detail is marked until it is right', async (open) => {
    const { page } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await page.locator('summary').first().click();
    const card = page.locator('input[name=card_masked_pan]');
    const problem = page.locator('#problem-card_masked_pan');
    const type = async (text) => {
      await card.fill(text);
      if (!(await hasScript(page))) await press(page, 'Update the sum');
    };
    await type('4242 4242 4242 4242');
    await problem.waitFor();
    assert.match(await problem.innerText(), /This contains a whole card number/);
    assert.equal(await card.getAttribute('aria-invalid'), 'true');
    await type('4242 **** **** 4242');
    await recordButton(page).waitFor();
    assert.equal(await problem.count(), 0);
    assert.equal(await card.getAttribute('aria-invalid'), null);
  });

  trialWithAndWithoutScript('one of several reservations is chosen first', async (open) => {
    const { page, id } = await openOrder(open, 'owner', 'many');
    await press(page, 'Capture', 'link');
    await expectWords(page, 'Choose the reservation that this draws on.');
    await page.locator('.choices input').last().check();
    if (await hasScript(page)) await box(page, 2).waitFor();
    else await press(page, 'Show this reservation');
    await press(page, 'Record capture 300.00 NOK');
    const captures = await operations(page, id, 'captures');
    const authorizations = await operations(page, id, 'authorizations');
    assert.equal(captures.at(-1).authorization_id, authorizations.at(-1).id);
  });

  trialWithAndWithoutScript('another reservation keeps what was typed', async (open) => {
    const { page, id } = await openOrder(open, 'owner', 'many');
    await press(page, 'Capture', 'link');
    const choose = async (nth) => {
      await page.locator('.choices input').nth(nth).check();
      if (!(await hasScript(page))) await press(page, 'Show this reservation');
      const chosen = await page.locator('.choices input').nth(nth).inputValue();
      await page.locator(`input[name=shown][value="${chosen}"]`).waitFor({ state: 'attached' });
    };
    await choose(0);
    const prefilled = await box(page, 2).inputValue();
    await choose(1);
    assert.notEqual(await box(page, 2).inputValue(), prefilled, 'the form opens for the other one');
    await box(page, 2).fill('12,5');
    await page.locator('summary').first().click();
    await page.locator('input[name=psp]').fill('Vipps');
    await choose(0);
    await choose(1);
    assert.equal(await box(page, 2).inputValue(), '12,5');
    assert.equal(await page.locator('input[name=psp]').inputValue(), 'Vipps');
    await follow(page, recordButton(page));
    await expectWords(page, 'Recorded a capture of 12.50 NOK.');
    const captures = await operations(page, id, 'captures');
    const authorizations = await operations(page, id, 'authorizations');
    assert.equal(captures.at(-1).authorization_id, authorizations[1].id);
    assert.equal(captures.at(-1).payment_details.psp, 'Vipps');
  });

  trialWithAndWithoutScript('signing in again brings the form back', async (open) => {
    const { page, id } = await openOrder(open, 'manager', 'reserved');
    await press(page, 'Capture', 'link');
    await box(page, 1).fill('75,5');
    await expectSum(page, 'Record capture 75.50 NOK');
    await page.context().clearCookies();
    await follow(page, recordButton(page));
    await expectWords(page, 'You were signed out before you sent the form, and nothing was done.');
    const { email, password } = page.book.users.manager;
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await press(page, 'Sign in');
    await press(page, 'Go on with the form');
    assert.equal(await box(page, 1).inputValue(), '75,5');
    await follow(page, recordButton(page));
    await expectWords(page, 'Recorded a capture of 75.50 NOK.');
    assert.equal((await operations(page, id, 'captures')).length, 1);
  });

  trial('a capture is recorded with only the keyboard', async (open) => {
    const { page, id } = await openOrder(open, 'packer', 'reserved');
    await tabTo(page, (element) => element.textContent === 'Capture');
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    await tabTo(page, (element) => element.name === 'amount-1');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('75,25');
    await tabTo(page, (element) => element.value === 'record');
    await recordButton(page).filter({ hasText: '75.25' }).waitFor();
    const standing = await page.evaluate(() => document.activeElement.textContent);
    assert.equal(plain(standing), 'Record capture 75.25 NOK', 'the focus is not lost to the new sum');
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')]);
    await expectWords(page, 'Recorded a capture of 75.25 NOK.');
    assert.equal(await amountOf(page, id, 'captured_amount'), 7_525);
  });

  trial('Enter in a box shows the sum and records nothing', async (open) => {
    const { page, id } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await box(page, 1).fill('10');
    await Promise.all([page.waitForEvent('load'), box(page, 1).press('Enter')]);
    assert.equal(plain(await recordButton(page).innerText()), 'Record capture 10.00 NOK');
    assert.equal((await operations(page, id, 'captures')).length, 0);
  });

  trial('the same request can be copied as a command', async (open) => {
    const { page } = await openOrder(open, 'packer', 'reserved');
    await press(page, 'Capture', 'link');
    await page.locator('#review summary').click();
    const command = await page.locator('#review pre').innerText();
    assert.match(command, /curl -X POST 'http.*\/captures'/);
    assert.match(command, /"items":\[\{"line_id":1,"amount":25000\}\]/);
    assert.ok((await words(page)).includes('Copy'));
  });
});

/// Presses Tab until `is` accepts the focused control.
async function tabTo(page, is) {
  for (let presses = 0; presses < 60; presses += 1) {
    await page.keyboard.press('Tab');
    const reached = await page.evaluate(`(${is})(document.activeElement)`);
    if (reached) return;
  }
  assert.fail(`Tab does not come to ${is}`);
}
