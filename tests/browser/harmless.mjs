// Properties that every page must have with any text on it.

import assert from 'node:assert/strict';

/// No errors, no element or attribute that could run script, and no sideways scrolling.
export async function expectHarmless(page) {
  assert.deepEqual(page.troubles, [], page.url());
  assert.deepEqual(await page.evaluate(harm), [], page.url());
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= page.viewportSize().width, `${page.url()} is ${width} wide`);
}

/// The structure of a page: every element with the names of its attributes.
export async function elementsOf(page) {
  return page.evaluate(() => {
    const attributes = (element) => element.getAttributeNames().sort().join(' ');
    const all = [...document.querySelectorAll('*')];
    return all.map((element) => `${element.localName} ${attributes(element)}`);
  });
}

/// Runs in the page: lists the elements and attributes that text must never become.
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
