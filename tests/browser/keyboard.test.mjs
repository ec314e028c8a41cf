// Every page without a mouse: Tab reaches every control in the order of the page, the focused
// control is visible and shows its focus, and the skip link works.

import assert from 'node:assert/strict';

import { NARROW, WIDE, trial, trials } from './harness.mjs';
import { pages, show } from './pages.mjs';

/// A date has three stops and a button inside one control.
const PRESSES_PER_STOP_MAX = 5;

/// Frames within which the browser must have scrolled to the focused control.
const FRAMES_MAX = 120;

trials('keyboard', () => {
  for (const entry of pages) {
    trial(`${entry.name} can be walked with Tab`, async (open) => {
      const page = await open({ kind: entry.kind, as: entry.as });
      await show(page, entry);
      for (const size of [WIDE, NARROW]) {
        await page.setViewportSize(size);
        const stops = await page.evaluate(markStops);
        const walked = await walk(page, stops.length);
        const order = walked.map((stop) => stop.at);
        const start = order.indexOf(0);
        const fromTop = [...order.slice(start), ...order.slice(0, start)];
        assert.deepEqual(fromTop.map((at) => stops[at]), stops, 'the order of the page');
        assert.deepEqual(walked.filter((stop) => stop.problem), []);
      }
    });

    trial(`${entry.name} has a working skip link`, async (open) => {
      const page = await open({ kind: entry.kind, as: entry.as });
      await show(page, entry);
      const skip = page.locator('a.skip');
      if ((await skip.count()) === 0) {
        assert.equal(await page.getByRole('navigation', { name: 'Main' }).count(), 0);
        return;
      }
      const [first] = await page.evaluate(markStops);
      assert.equal(first, 'Skip to content');
      await skip.focus();
      await page.keyboard.press('Enter');
      assert.equal(await page.evaluate(() => document.activeElement.id), 'content');
      if ((await page.locator('main [data-stop]').count()) === 0) return;
      await page.keyboard.press('Tab');
      const inside = () => document.activeElement === document.querySelector('main [data-stop]');
      assert.ok(await page.evaluate(inside), 'the first control of the content comes next');
    });
  }
});

/// Presses Tab until the first control has the focus again; returns each control that had it, once.
async function walk(page, count) {
  const walked = [];
  for (let presses = 0; presses < count * PRESSES_PER_STOP_MAX; presses += 1) {
    await page.keyboard.press('Tab');
    const stop = await page.evaluate(describeFocus, FRAMES_MAX);
    if (stop.at === -1 || stop.at === walked.at(-1)?.at) continue;
    if (stop.at === walked[0]?.at) break;
    walked.push(stop);
  }
  return walked;
}

/// Runs in the page: numbers every control that Tab should reach and returns their names.
function markStops() {
  const focusable = 'a[href], button, input, select, textarea, summary, [tabindex]';
  const all = document.querySelectorAll(focusable);
  const firstOfGroup = (radio) => {
    const group = [...document.getElementsByName(radio.name)];
    return (group.find((each) => each.checked) ?? group[0]) === radio;
  };
  const stops = [...all].filter(
    (element) =>
      !element.disabled &&
      0 <= element.tabIndex &&
      element.checkVisibility({ visibilityProperty: true }) &&
      (element.type !== 'radio' || firstOfGroup(element)),
  );
  stops.forEach((element, at) => (element.dataset.stop = at));
  return stops.map((element) => element.innerText || element.name || element.outerHTML);
}

/// Runs in the page: returns the focused control and its faults.
async function describeFocus(framesMax) {
  const element = document.activeElement;
  if (!element.dataset.stop) return { at: -1 };
  const isSeen = () => {
    const { top, left, bottom, right } = element.getBoundingClientRect();
    return 0 <= top && bottom <= innerHeight && 0 <= left && right <= innerWidth;
  };
  // The browser scrolls to the focused control in one of the next frames.
  for (let frames = 0; frames < framesMax && !isSeen(); frames += 1) {
    await new Promise(requestAnimationFrame);
  }
  const style = getComputedStyle(element);
  const isOutlined = style.outlineStyle !== 'none' && 2 <= parseFloat(style.outlineWidth);
  const problems = [
    [!isOutlined, 'has no outline'],
    [!isSeen(), 'is out of sight'],
    [0 < element.tabIndex, 'jumps the queue'],
  ];
  const problem = problems.filter(([is]) => is).map(([, what]) => what).join(', ');
  return { at: +element.dataset.stop, problem: problem && `${element.outerHTML} ${problem}` };
}
