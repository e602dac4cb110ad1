import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { watchProgram } from './output-watch.ts';
import { requirePart } from './parts.ts';

/** What a test may say about its Chromium. */
export interface ChromiumOptions {
  /** Which names are this machine: `MAP *.test 127.0.0.1, MAP *.example 127.0.0.1`. */
  hostRules?: string;
  /** Further switches. */
  args?: readonly string[];
}

/** A real Chromium. */
export interface Chromium {
  readonly browser: Browser;
  close(): Promise<void>;
}

/**
 * Starts Debian's Chromium. None of Playwright's own switches is passed: some of them change what
 * browsers do with cookies, which is what tests want to see.
 *
 * Throw-away certificates are accepted by `browser.newContext({ ignoreHTTPSErrors: true })`.
 */
export async function startChromium(options: ChromiumOptions = {}): Promise<Chromium> {
  const executablePath = requirePart('chromium');
  const folder = await mkdtemp(join(tmpdir(), 'chromium-'));
  const removeFolder = (): Promise<void> =>
    rm(folder, { recursive: true, force: true, maxRetries: 3 });
  try {
    const browser = await chromium.launch({
      executablePath,
      ignoreDefaultArgs: true,
      args: [
        // What Playwright needs in order to drive it.
        '--remote-debugging-pipe',
        `--user-data-dir=${folder}`,
        '--headless=new',
        '--no-startup-window',
        // What a container needs.
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        // Fewer processes: none for each site, and none that waits for work. Each costs as much as a page, and what
        // cookies go where is decided in none of them.
        '--process-per-site',
        '--disable-site-isolation-trials',
        '--disable-features=SpareRendererForSitePerProcess',
        // What keeps it from calling home.
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        ...(options.hostRules === undefined ? [] : [`--host-resolver-rules=${options.hostRules}`]),
        ...(options.args ?? []),
      ],
    });
    // What pages write on the console is output as well.
    const chunks: string[] = [];
    watchProgram({ chunks, done: Promise.resolve(), hasEnded: () => true });
    browser.on('context', (context) => {
      context.on('console', (message) => chunks.push(`${message.text()}\n`));
    });
    return {
      browser,
      async close() {
        await browser.close();
        await removeFolder();
      },
    };
  } catch (error) {
    await removeFolder();
    throw error;
  }
}
