import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** Widths that a page is looked at in: a telephone's and a desk's. */
export const widths = [320, 1280] as const;

/**
 * Opens a page to look at, of a width. Whatever moves in it by itself is counted from the beginning.
 *
 * @see {@link https://wicg.github.io/layout-instability/ Layout Instability}
 */
export async function openWindow(browser: Browser, width: number): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: 700 } });
  return context.newPage();
}

/**
 * What is wrong with a page as it is now, in light and dark: findings of axe-core, something that is
 * wider than the window, or something that moved by itself.
 */
export async function findFaults(page: Page): Promise<string[]> {
  const faults: string[] = [];
  await page.evaluate(await readFile(axeFile, 'utf8'));
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    const [violations, overflow] = (await page.evaluate(`axe.run().then(({ violations }) => [
      violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target).join(', ')),
      document.documentElement.scrollWidth - window.innerWidth,
    ])`)) as [string[], number];
    faults.push(...violations.map((violation) => `${colorScheme}: ${violation}`));
    if (overflow > 0) faults.push(`${colorScheme}: wider than the window by ${overflow}`);
  }
  const shift = await layoutShift(page);
  if (shift !== 0) faults.push(`moved by ${shift}`);
  return faults;
}

/** How much has moved since the page began to load. Two frames, so that what is late is told, too. */
function layoutShift(page: Page): Promise<unknown> {
  return page.evaluate(`new Promise((resolve) => {
    let shift = 0;
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shift += entry.value;
    });
    observer.observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(shift), 0)));
  })`);
}

/**
 * What the Tab key reaches, in order, by its text; each has to be marked while it has the focus.
 *
 * @throws Error when something has the focus and nothing shows it, or when it reaches not all that can be used
 */
export async function tabThrough(page: Page): Promise<string[]> {
  await page.evaluate(`globalThis.controls = new Set([...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"]',
  )].filter((control) => control.type !== 'hidden'
    // Of a group of choices the keyboard reaches the one that is made.
    && (control.type !== 'radio' || control.checked)))`);
  const reached = new Map<number, string>();
  let ends = 0;
  for (;;) {
    await page.keyboard.press('Tab');
    const { index, text, isMarked } = (await page.evaluate(`(() => {
      const element = document.activeElement ?? document.body;
      controls.delete(element);
      // A choice may be marked by what is around it.
      const marks = [element, element.closest('label') ?? element].map((one) => getComputedStyle(one));
      const text = (element.getAttribute('aria-label') ?? element.textContent).trim() || element.name;
      return {
        index: element === document.body ? -1 : [...document.querySelectorAll('*')].indexOf(element),
        text: String(text).replace(/\\s+/g, ' '),
        isMarked: marks.some(({ outlineStyle, boxShadow }) => outlineStyle !== 'none' || boxShadow !== 'none'),
      };
    })()`)) as { index: number; text: string; isMarked: boolean };
    // A page that is opened at a place within is begun there: past its end it goes on at the beginning.
    if (index < 0) ends += 1;
    if (ends > 1 || reached.has(index)) break;
    if (index < 0) continue;
    if (!isMarked) throw new Error(`nothing shows that "${text}" has the focus`);
    reached.set(index, text);
  }
  const left = (await page.evaluate('[...controls].map(({ outerHTML }) => outerHTML)')) as string[];
  if (left.length > 0) throw new Error(`the keyboard does not reach ${left.join(', ')}`);
  return [...reached.values()];
}
