// The base of every browser test: headless Chromium, pages that watch for errors, and a screenshot
// of a failure.
//
// A page fails its test on a console error, an uncaught error, a dialog, a violation of the content
// security policy, or a request to another host.

import { after, describe, test } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join, relative } from 'node:path';

import { chromium } from 'playwright-core';

import { book, root, stopBooks } from './books.mjs';

/// Without these, Chromium sends requests to its maker while the tests run.
const QUIET = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
];

/// Debian's Chromium without a window system: it opens a session in a quarter of the time.
const PROGRAM = 'chromium-headless-shell';

/// The longest that a page may wait for anything before its test fails.
const WAIT_MS_MAX = 15_000;

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 375, height: 740 };

let launched;

/// The one browser of a process.
export function browser() {
  launched ??= chromium.launch({
    executablePath: findChromium(),
    // Chromium refuses to sandbox itself for root.
    chromiumSandbox: process.getuid() !== 0,
    args: QUIET,
  });
  return launched;
}

function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, PROGRAM)).find(existsSync);
  if (!found) throw new Error(`The browser tests need Chromium: sudo apt-get install ${PROGRAM}`);
  return found;
}

/// Defines the tests of a file; the browser and books are stopped after the last of them.
export function trials(title, define) {
  describe(title, () => {
    after(closeAll);
    define();
  });
}

/// Closes the browser and stops the books.
export async function closeAll() {
  await (await launched)?.close();
  launched = undefined;
  await stopBooks();
}

/// A test that gets `open`, which opens pages. It fails if one of its pages had any trouble.
export function trial(name, body) {
  return trialWith(name, {}, body);
}

/// The same test twice: every form works without script.
export function trialWithAndWithoutScript(name, body) {
  trialWith(`${name}, with script`, { script: true }, body);
  trialWith(`${name}, without script`, { script: false }, body);
}

function trialWith(name, defaults, body) {
  test(name, async () => {
    const pages = [];
    const open = async (wanted) => {
      const page = await openPage({ ...defaults, ...wanted });
      pages.push(page);
      return page;
    };
    try {
      await body(open);
      pages.forEach(expectNoTrouble);
    } catch (error) {
      for (const [at, page] of pages.entries()) await keepScreenshot(page, `${name} ${at}`);
      throw error;
    } finally {
      await Promise.all(pages.map((page) => page.context().close()));
    }
  });
}

async function keepScreenshot(page, name) {
  const folder = join(root, 'target', 'browser');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name.replace(/[^A-Za-z0-9]+/g, '-')}.png`);
  try {
    await page.screenshot({ path, fullPage: true });
    console.log(`screenshot: ${relative(root, path)} of ${page.url()}`);
  } catch (error) {
    // The failure matters more than its missing screenshot.
    console.log(`no screenshot of ${page.url()}: ${error.message}`);
  }
}

/// Opens a page in a new session, of the shared book of this `kind` or of the book `from`. `as` is
/// the role that is signed in; without it, the page is signed out.
export async function openPage({ kind = 'demo', from, as, script = true } = {}) {
  from ??= await book(kind);
  const context = await (await browser()).newContext({
    baseURL: from.url,
    viewport: WIDE,
    colorScheme: 'light',
    reducedMotion: 'reduce',
    javaScriptEnabled: script,
    locale: 'en-GB',
  });
  context.setDefaultTimeout(WAIT_MS_MAX);
  if (as) await context.addCookies([await from.cookie(as)]);
  await context.addInitScript(tellBreaches);
  const page = await context.newPage();
  page.book = from;
  page.troubles = watch(page, from.url);
  return page;
}

/// Runs in the page, before anything else there.
function tellBreaches() {
  document.addEventListener('securitypolicyviolation', (breach) => {
    console.error(`policy breach: ${breach.violatedDirective} ${breach.blockedURI}`);
  });
}

function watch(page, url) {
  const troubles = [];
  const documents = new Set();
  page.lastStatus = 0;
  page.on('request', (request) => {
    const other = !request.url().startsWith(`${url}/`) && !request.url().startsWith('data:');
    if (other) troubles.push(`request to ${request.url()}`);
  });
  page.on('response', (response) => {
    if (!response.request().isNavigationRequest()) return;
    page.lastStatus = response.status();
    documents.add(response.url());
  });
  page.on('console', (message) => {
    // Every visit checks the status itself.
    const isStatus = message.text().startsWith('Failed to load resource');
    if (isStatus && documents.has(message.location().url)) return;
    if (message.type() === 'error') troubles.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('dialog', async (dialog) => {
    troubles.push(`dialog: ${dialog.message()}`);
    await dialog.dismiss();
  });
  return troubles;
}

export function expectNoTrouble(page) {
  assert.deepEqual(page.troubles, [], `trouble on ${page.url()}`);
}

/// Goes to a path of the book and expects this status.
export async function visit(page, path, status = 200) {
  const response = await page.goto(path);
  assert.equal(response.status(), status, path);
}

/// Presses a button or follows a link by its name, and waits for the next page.
export async function press(page, name, role = 'button') {
  await follow(page, page.getByRole(role, { name, exact: true }));
}

/// Clicks an element that was found in another way, and waits for the next page.
export async function follow(page, locator) {
  await Promise.all([page.waitForEvent('load'), locator.click()]);
}

/// The visible text of the page.
export async function words(page) {
  const text = await page.locator('body').innerText();
  return text.replace(/\s+/g, ' ');
}

export async function expectWords(page, ...expected) {
  const text = await words(page);
  for (const each of expected) {
    assert.ok(text.includes(each), `"${each}" is not on ${page.url()}: ${text}`);
  }
}

/// Signs in through the form.
export async function signIn(page, { email, password }) {
  await visit(page, '/admin/sign-in');
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password').fill(password);
  await press(page, 'Sign in');
}
