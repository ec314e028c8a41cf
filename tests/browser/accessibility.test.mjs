// Checks every page with axe, in light and dark, wide and narrow, and that no page scrolls sideways
// at any width.

import assert from 'node:assert/strict';

import axe from 'axe-core';

import { NARROW, WIDE, trial, trials } from './harness.mjs';
import { pages, show } from './pages.mjs';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/// Widths from a wide screen to the narrowest that WCAG requires, on both sides of where tables
/// become cards.
const WIDTHS = [1280, 1024, 1001, 1000, 768, 375, 320];

trials('accessibility', () => {
  for (const entry of pages) {
    trial(`${entry.name} breaks no rule`, async (open) => {
      const page = await open({ kind: entry.kind, as: entry.as });
      await show(page, entry);
      await page.evaluate(axe.source);
      const found = [];
      for (const size of [WIDE, NARROW]) {
        await page.setViewportSize(size);
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme });
          found.push(...(await breaches(page, `${size.width} ${colorScheme}`)));
        }
      }
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: WIDE.height });
        found.push(...(await wider(page, width)));
      }
      assert.deepEqual(found, []);
    });
  }
});

async function breaches(page, where) {
  const run = (tags) => window.axe.run(document, { runOnly: tags, preload: false });
  const { violations } = await page.evaluate(run, TAGS);
  const lines = (rule) =>
    rule.nodes.map((node) => `${where}: ${rule.id}, ${node.target}: ${node.failureSummary}`);
  return violations.flatMap(lines);
}

async function wider(page, width) {
  const needed = await page.evaluate(() => document.documentElement.scrollWidth);
  return needed <= width ? [] : [`${width}: the page is ${needed} wide`];
}
