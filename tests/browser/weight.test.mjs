// The transfer size of each page at a first visit: the page, one stylesheet and one script, less
// than 100 kB together.

import assert from 'node:assert/strict';

import { trial, trials } from './harness.mjs';
import { pages, show } from './pages.mjs';

const BYTES_MAX = 100_000;
const NEEDED = ['document', 'stylesheet', 'script'];

/// A form requests its sum while the user types, which is not part of the first load.
const isNoReview = (kind) => kind !== 'fetch';

trials('weight', () => {
  for (const entry of pages) {
    trial(`${entry.name} is light`, async (open) => {
      const page = await open({ kind: entry.kind, as: entry.as });
      await forgetEverything(page);
      const requests = watchRequests(page);
      await show(page, entry);
      const kinds = requests().map((request) => request.resourceType()).filter(isNoReview);
      assert.deepEqual([...new Set(kinds)].filter((kind) => !NEEDED.includes(kind)), []);
      assert.ok(kinds.length <= NEEDED.length + 1, 'at most a redirect, a page, a style, a script');
      const sizes = await Promise.all(requests().map((request) => request.sizes()));
      const bytes = sizes.reduce((sum, size) => sum + size.responseBodySize, 0);
      assert.ok(0 < bytes && bytes < BYTES_MAX, `${bytes} bytes`);
    });
  }
});

/// After another page, the stylesheet would be cached already.
async function forgetEverything(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
}

/// The requests since the last navigation.
function watchRequests(page) {
  let requests = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest() && !request.redirectedFrom()) requests = [];
    if (!request.url().startsWith('data:')) requests.push(request);
  });
  return () => requests;
}
