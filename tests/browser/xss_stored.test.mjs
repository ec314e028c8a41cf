// Hostile text in every stored field is shown only as text. Each text has its own account in one
// book, and the pages of this account must have the same elements as those of an account with plain
// text, which is either short or so long that a page cuts it.

import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';

import { Book } from './books.mjs';
import { elementsOf, expectHarmless } from './harmless.mjs';
import { NARROW, WIDE, press, trial, trials, visit } from './harness.mjs';
import { accountPages, orderPages, pathOf } from './pages.mjs';
import { payloads } from './payloads.mjs';
import { stories } from './stories.mjs';

const ORDER_ID = /^[!-~]{1,64}$/;
const CONTROL = /\p{Cc}/gu;
/// The longest name and the longest e-mail address.
const NAME_MAX = 200;
const EMAIL_BYTES_MAX = 254;
const PLAIN = ['Kari', 'Kari '.repeat(20).trim()];

trials('hostile text', () => {
  const names = Object.keys(payloads);
  let hostile;
  let plain;

  /// The elements of the pages with plain text, by name: with short text, and with long text.
  const plainPages = async (open) => {
    hostile ??= serveBook();
    const built = async (words, at) =>
      new Map(await walk(await tell(open, words, hostile, names.length + at)));
    plain ??= Promise.all(PLAIN.map(built));
    return plain;
  };

  for (const [name, payload] of Object.entries(payloads)) {
    trial(`${name} is only text on every page that shows stored values`, async (open) => {
      const expected = await plainPages(open);
      const told = await tell(open, payload, hostile, names.indexOf(name));
      for (const [page, built] of await walk(told)) {
        const [few, many] = expected.map((pages) => pages.get(page));
        if (isDeepStrictEqual(built, many)) continue;
        assert.deepEqual(built, few, `${page} is built of other elements`);
      }
      await visit(told.page, pathOf(orderPages()[0], told.account, told.order));
      const text = await told.page.evaluate(() => document.documentElement.textContent);
      const shown = payload.replace(/\r\n/g, '\n');
      assert.ok(text.includes(shown), 'the text is on the page as it was sent');
      await told.page.setViewportSize(WIDE);
      await press(told.page, 'Close order');
      assert.equal(told.page.lastStatus, 200);
      await expectHarmless(told.page);
    });
  }
});

async function serveBook() {
  const made = new Book();
  made.makeAccount(made.account, 'Kari');
  made.users.first = made.makeUser('first@example.no', 'owner');
  await made.serve('serve', /Back office: \S+\n/);
  return made;
}

/// Makes an account with an owner, a client and an order that all have this text.
async function tell(open, payload, hostile, number) {
  const from = await hostile;
  const account = `T9${String(number).padStart(7, '0')}`;
  const name = [...payload.replace(CONTROL, '')].slice(0, NAME_MAX).join('');
  from.makeAccount(account, name);
  from.users[account] = from.makeUser(email(payload, number), 'owner', [account]);
  const api = from.makeClient(account, name);
  const order_id = ORDER_ID.test(payload) ? payload : undefined;
  const order = await stories.full(api, () => payload, { order_id });
  const page = await open({ from, as: account });
  await page.setViewportSize(NARROW);
  return { account, order, page };
}

/// The text as part of an e-mail address, as far as addresses may have it.
function email(payload, number) {
  const word = payload.replace(/[\s@]|\p{Cc}/gu, '/');
  const end = `@e${number}.example`;
  return Buffer.byteLength(word + end) <= EMAIL_BYTES_MAX ? word + end : `long${end}`;
}

/// Visits every page of an account and returns the elements of each.
async function walk({ page, account, order }) {
  const built = [];
  for (const entry of [...orderPages(), ...accountPages()]) {
    await visit(page, pathOf(entry, account, order), entry.status);
    await expectHarmless(page);
    built.push([entry.name, await elementsOf(page)]);
  }
  return built;
}
