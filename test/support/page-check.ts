import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axeFile = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/** What a page can look like: the visitor's colors, and a telephone or a desk. */
const looks = (['light', 'dark'] as const).flatMap((colorScheme) =>
  [320, 1280].map((width) => ({ colorScheme, width })),
);

/**
 * What is wrong with a page in each of its looks: findings of axe-core, something that is wider than
 * the window, or something that moved after it had been shown.
 */
export async function findFaults(page: Page): Promise<string[]> {
  const faults: string[] = [];
  const shift = await page.evaluate(`new Promise((resolve) => {
    let shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) shift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => setTimeout(() => resolve(shift), 0));
  })`);
  if (shift !== 0) faults.push(`moved by ${shift}`);
  await page.evaluate(await readFile(axeFile, 'utf8'));
  for (const { colorScheme, width } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 700 });
    const [violations, overflow] = (await page.evaluate(`axe.run().then(({ violations }) => [
      violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target).join(', ')),
      document.documentElement.scrollWidth - window.innerWidth,
    ])`)) as [string[], number];
    const look = `${colorScheme}, ${width} pixels`;
    faults.push(...violations.map((violation) => `${look}: ${violation}`));
    if (overflow > 0) faults.push(`${look}: wider than the window by ${overflow}`);
  }
  return faults;
}

/**
 * What the Tab key reaches, in order, by its text; each has to be marked while it has the focus.
 *
 * @throws Error when something has the focus and nothing shows it
 */
export async function tabThrough(page: Page): Promise<string[]> {
  const reached = new Map<number, string>();
  for (;;) {
    await page.keyboard.press('Tab');
    const { index, text, isMarked } = (await page.evaluate(`(() => {
      const element = document.activeElement ?? document.body;
      // A choice may be marked by what is around it.
      const marks = [element, element.closest('label') ?? element].map((one) => getComputedStyle(one));
      const text = (element.getAttribute('aria-label') ?? element.textContent).trim() || element.name;
      return {
        index: element === document.body ? -1 : [...document.querySelectorAll('*')].indexOf(element),
        text: String(text).replace(/\\s+/g, ' '),
        isMarked: marks.some(({ outlineStyle, boxShadow }) => outlineStyle !== 'none' || boxShadow !== 'none'),
      };
    })()`)) as { index: number; text: string; isMarked: boolean };
    // Past the end, or back at the beginning.
    if (index < 0 || reached.has(index)) return [...reached.values()];
    if (!isMarked) throw new Error(`nothing shows that "${text}" has the focus`);
    reached.set(index, text);
  }
}
