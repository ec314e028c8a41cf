// The order list and the order page: finding, paging, closing, opening, cancelling.

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
import { stories, story } from './stories.mjs';

const TABS = ['All', 'To capture', 'Partly captured', 'Refunded', 'Closed', 'Cancelled'];

/// The text of each tab in a book without orders.
const EMPTY = [
  'No orders yet.',
  'Nothing to capture.',
  'No partly captured orders.',
  'No refunded orders.',
  'No closed orders.',
  'No cancelled orders.',
];

const ordersPath = (page) => `/admin/${page.book.account}/orders`;
const tabNamed = (page, name) =>
  page.getByRole('navigation', { name: 'Kinds of orders' }).getByRole('link', { name });
const orderIds = (page) => page.locator('tbody tr td:first-child').allInnerTexts();

/// Opens the page of a new order of this story, as this role.
async function openOrder(open, as, storyName) {
  const page = await open({ as });
  const id = await stories[storyName](page.book.api);
  await visit(page, `${ordersPath(page)}/${id}`);
  return { page, id };
}

trials('orders', () => {
  trialWithAndWithoutScript('each tab shows as many orders as it counts', async (open) => {
    const page = await open({ as: 'viewer' });
    await visit(page, ordersPath(page));
    for (const name of TABS) {
      await follow(page, tabNamed(page, new RegExp(`^${name} \\d`)));
      const tab = page.locator('.tabs [aria-current=page]');
      assert.match(await tab.innerText(), new RegExp(`^${name}`));
      const count = Number(await tab.locator('.count').innerText());
      const shown = await orderIds(page);
      assert.equal(shown.length, Math.min(count, 50), name);
      assert.ok(0 < count, `the demo shop has an order for ${name}`);
    }
  });

  trialWithAndWithoutScript('each tab of an empty book says what it shows', async (open) => {
    const page = await open({ kind: 'empty', as: 'owner' });
    await visit(page, ordersPath(page));
    for (const [at, name] of TABS.entries()) {
      await follow(page, tabNamed(page, `${name} 0`));
      await expectWords(page, EMPTY[at]);
    }
    assert.equal(await page.locator('table').count(), 0);
  });

  trialWithAndWithoutScript('search finds a name and says if no order matches', async (open) => {
    const page = await open({ as: 'viewer' });
    const id = await story(page.book, 'reserved');
    await visit(page, ordersPath(page));
    await page.getByLabel('Search').fill('SÆBJ');
    await press(page, 'Search');
    assert.ok((await orderIds(page)).includes(id));
    await page.getByLabel('Search').fill(id);
    await press(page, 'Search');
    assert.deepEqual(await orderIds(page), [id]);
    await page.getByLabel('Search').fill('nobody at all');
    await press(page, 'Search');
    await expectWords(page, 'No orders match.');
    await press(page, 'Clear', 'link');
    assert.equal((await orderIds(page)).length, 50);
  });

  trialWithAndWithoutScript('dates are days in the time zone of the shop', async (open) => {
    const page = await open({ as: 'viewer' });
    const id = await story(page.book, 'reserved');
    await visit(page, `${ordersPath(page)}?search=${id}`);
    const made = await page.locator('tbody time').getAttribute('datetime');
    const days = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Oslo' });
    const day = days.format(new Date(made));
    const search = async (from, to) => {
      await page.getByLabel('From').fill(from);
      await page.getByLabel('To', { exact: true }).fill(to);
      await press(page, 'Search');
      return (await words(page)).includes('No orders match.') ? [] : orderIds(page);
    };
    assert.deepEqual(await search(day, day), [id]);
    assert.deepEqual(await search('2020-01-01', '2020-01-02'), []);
    const next = days.format(new Date(Date.parse(made) + 24 * 60 * 60 * 1000));
    assert.deepEqual(await search(next, ''), []);
  });

  trialWithAndWithoutScript('pages show each order once, to the last one', async (open) => {
    const page = await open({ as: 'viewer' });
    await visit(page, ordersPath(page));
    const count = Number(await page.locator('.tabs [aria-current=page] .count').innerText());
    const seen = await orderIds(page);
    while ((await page.getByRole('link', { name: 'Next' }).count()) === 1) {
      await press(page, 'Next', 'link');
      seen.push(...(await orderIds(page)));
    }
    assert.equal(seen.length, count);
    assert.equal(new Set(seen).size, count);
    assert.ok(100 < count, 'there are three pages');
  });

  trialWithAndWithoutScript('filters and sorting are kept in the address', async (open) => {
    const page = await open({ as: 'viewer' });
    await visit(page, ordersPath(page));
    await page.getByText('More filters').click();
    await page.getByLabel('Currency').selectOption('EUR');
    await page.getByLabel('Sort').selectOption('Highest total first');
    await press(page, 'Search');
    const shown = new URL(page.url()).searchParams;
    assert.deepEqual([shown.get('currency'), shown.get('sort')], ['EUR', 'total-high']);
    const totals = await page.locator('td[data-label=Total]').allInnerTexts();
    assert.ok(1 < totals.length && totals.every((total) => total.endsWith('EUR')), totals.join());
    const amounts = totals.map((total) => Number(total.replace(/[^\d.]/g, '')));
    assert.deepEqual(amounts, [...amounts].sort((a, b) => b - a));
    await follow(page, page.locator('th[aria-sort=descending] a'));
    assert.equal(await page.locator('th[aria-sort=ascending] a').innerText(), 'Total');
    await press(page, 'Clear', 'link');
    assert.equal((await orderIds(page)).length, 50);
  });

  trialWithAndWithoutScript('a packer goes from the queue to a capture and back', async (open) => {
    const page = await open({ as: 'packer' });
    await stories.reserved(page.book.api);
    await visit(page, ordersPath(page));
    await press(page, 'To capture', 'link');
    await follow(page, page.getByRole('link', { name: /^Capture order/ }).first());
    assert.equal(await page.locator('h1').innerText(), 'Record a capture');
  });

  trialWithAndWithoutScript('a user with several shops chooses one', async (open) => {
    const page = await open({ kind: 'several', as: 'owner' });
    await visit(page, '/admin');
    await press(page, 'The shop by the sea', 'link');
    await expectWords(page, 'The shop by the sea T00000002', 'No orders yet.');
    await press(page, 'Switch account', 'link');
    await expectWords(page, 'The shop in the street');
  });

  trialWithAndWithoutScript('an order page is opened from its row and left again', async (open) => {
    const page = await open({ as: 'packer' });
    await visit(page, ordersPath(page));
    const [id] = await orderIds(page);
    await press(page, id, 'link');
    assert.equal(await page.locator('h1').innerText(), `Order ${id}`);
    await press(page, 'All orders', 'link');
    assert.equal(await page.locator('h1').innerText(), 'Orders');
  });

  trialWithAndWithoutScript('an order is closed, opened again and cancelled', async (open) => {
    const { page, id } = await openOrder(open, 'manager', 'reserved');
    await press(page, 'Close order');
    await expectWords(page, 'Closed Reserved', 'Closed, by manager@demo.example');
    await press(page, 'Open order again');
    await expectWords(page, 'Open Reserved', 'Opened again, by manager@demo.example');
    await page.getByLabel('Why').selectOption('We cannot deliver');
    await press(page, 'Cancel order');
    await expectWords(page, 'Cancelled, to release Reserved', 'Cancelled, by manager@demo.example');
    const kept = await page.book.api.send('GET', `/orders/${id}`);
    assert.equal(kept.cancelled_reason, 'merchant');
    for (const name of ['Close order', 'Open order again', 'Cancel order']) {
      assert.equal(await page.getByRole('button', { name }).count(), 0, name);
      await expectWords(page, `${name}: The order is cancelled, which cannot be undone.`);
    }
  });

  trialWithAndWithoutScript('an action that is no longer possible says why', async (open) => {
    const { page, id } = await openOrder(open, 'owner', 'reserved');
    await page.book.api.change('close', id);
    await press(page, 'Close order');
    assert.equal(await page.getByRole('alert').innerText(), 'The order is already closed.');
    await expectWords(page, `Order ${id}`, 'Closed Reserved');
  });

  trial('an impossible operation has no button and says why', async (open) => {
    const { page } = await openOrder(open, 'owner', 'full');
    assert.equal(await page.getByRole('button', { name: 'Cancel order' }).count(), 0);
    await expectWords(page, 'Cancel order: Money was captured.');
  });

  trial('a user who may not manage orders sees no buttons for it', async (open) => {
    for (const as of ['packer', 'viewer']) {
      const { page, id } = await openOrder(open, as, 'reserved');
      await expectWords(page, `Order ${id}`, `${as}@demo.example, ${as}`);
      for (const name of ['Close order', 'Open order again', 'Cancel order']) {
        assert.equal(await page.getByRole('button', { name }).count(), 0, `${name} by ${as}`);
      }
    }
  });

  trial('a search that is typed and not sent goes with every link of the list', async (open) => {
    const page = await open({ as: 'viewer' });
    await visit(page, `${ordersPath(page)}?from=2020-01-01`);
    await page.getByPlaceholder('Order id, e-mail').fill('a b');
    await follow(page, tabNamed(page, /^Closed/));
    assert.equal(await page.getByPlaceholder('Order id, e-mail').inputValue(), 'a b');
    await page.getByPlaceholder('Order id, e-mail').fill('');
    await page.getByLabel('From').fill('2021-01-01');
    await follow(page, tabNamed(page, /^All/));
    const asked = new URL(page.url()).searchParams;
    assert.deepEqual([asked.get('search'), asked.get('from')], [null, '2021-01-01']);
  });

  trial('a comment that is typed and not sent stays on its order', async (open) => {
    const { page, id } = await openOrder(open, 'manager', 'reserved');
    const comment = page.getByLabel('Comment for your colleagues');
    await comment.fill('Ring twice');
    await press(page, 'Capture', 'link');
    await press(page, `Order ${id}`, 'link');
    assert.equal(await comment.inputValue(), 'Ring twice');
    await press(page, 'Close order');
    assert.equal(await comment.inputValue(), 'Ring twice');
    await press(page, 'Add comment');
    await expectWords(page, 'Ring twice');
    assert.equal(await comment.inputValue(), '');
    await comment.fill('for nobody else');
    await press(page, 'Sign out');
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });
});
