// The content security policy is in force on every page: if text ever became script or style, the
// browser would still refuse it.

import assert from 'node:assert/strict';

import { trial, trials } from './harness.mjs';
import { pages, show } from './pages.mjs';

trials('content security policy', () => {
  for (const entry of pages) {
    trial(`${entry.name} runs no code but our own`, async (open) => {
      const page = await open({ kind: entry.kind, as: entry.as });
      await show(page, entry);
      const refused = await page.evaluate(tryEverything);
      assert.deepEqual(refused.sort(), [
        'frame-src',
        'img-src',
        'script-src-attr',
        'script-src-elem',
        'style-src-elem',
      ]);
      assert.equal(await page.evaluate(() => window.__ran), undefined);
      // These violations are intended.
      page.troubles.length = 0;
    });
  }
});

/// Runs in the page: adds every kind of harmful content and returns the directives that blocked it.
async function tryEverything() {
  const harms = [
    ['script', { textContent: 'window.__ran = 1' }],
    ['style', { textContent: 'body { display: none }' }],
    ['img', { src: 'http://evil.invalid/pixel.png' }],
    ['iframe', { src: 'http://evil.invalid/' }],
  ];
  const refused = [];
  const all = new Promise((resolve) => {
    document.addEventListener('securitypolicyviolation', (breach) => {
      refused.push(breach.effectiveDirective);
      if (refused.length === harms.length + 1) resolve();
    });
    // Only a page without the policy reaches this limit.
    setTimeout(resolve, 10_000);
  });
  for (const [tag, fields] of harms) {
    document.body.append(Object.assign(document.createElement(tag), fields));
  }
  const button = document.createElement('button');
  button.setAttribute('onclick', 'window.__ran = 1');
  document.body.append(button);
  button.click();
  await all;
  return refused;
}
