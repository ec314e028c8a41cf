// What must be true of every page, whatever text is on it.

import assert from 'node:assert/strict';

/// No trouble, no element or attribute that could act, and nothing to scroll sideways for.
export async function expectHarmless(page) {
  assert.deepEqual(page.troubles, [], page.url());
  assert.deepEqual(await page.evaluate(harm), [], page.url());
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= page.viewportSize().width, `${page.url()} is ${width} wide`);
}

/// What a page is built of: every element with the names of its attributes.
export async function elementsOf(page) {
  return page.evaluate(() => {
    const attributes = (element) => element.getAttributeNames().sort().join(' ');
    const all = [...document.querySelectorAll('*')];
    return all.map((element) => `${element.localName} ${attributes(element)}`);
  });
}

/// Runs in the page: whatever text has become that it must not.
function harm() {
  const found = window.__ran === undefined ? [] : ['a script ran'];
  const isOurs = (address) =>
    address === 'data:,' || new URL(address, location).origin === location.origin;
  const tags = 'base, embed, frame, iframe, math, object, style, template, body script';
  found.push(...[...document.querySelectorAll(tags)].map((element) => element.outerHTML));
  for (const element of document.querySelectorAll('*')) {
    for (const { name, value } of element.attributes) {
      const isAddress = ['action', 'formaction', 'href', 'src', 'srcdoc'].includes(name);
      if (name.startsWith('on') || name === 'style' || (isAddress && !isOurs(value))) {
        found.push(element.outerHTML);
      }
    }
  }
  return found;
}
