// `npm run screenshots -- <folder>`: every page, wide and narrow, in light and dark.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { NARROW, WIDE, closeAll, openPage } from './harness.mjs';
import { pages, show } from './pages.mjs';

const folder = process.argv[2];
if (!folder) {
  console.error('Say where to: npm run screenshots -- <folder>');
  process.exit(2);
}
const into = resolve(process.env.INIT_CWD ?? '.', folder);
mkdirSync(into, { recursive: true });
try {
  for (const entry of pages) await take(entry);
} finally {
  await closeAll();
}
console.log(`${pages.length * 4} screenshots in ${into}`);

async function take(entry) {
  const page = await openPage({ kind: entry.kind, as: entry.as });
  await show(page, entry);
  for (const size of [WIDE, NARROW]) {
    await page.setViewportSize(size);
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      const path = join(into, `${entry.name}-${size.width}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
  await page.context().close();
}
