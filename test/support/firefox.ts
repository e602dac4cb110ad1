import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'undici';
import { startProgram } from './child-process.ts';
import { eventually } from './eventually.ts';
import { requirePart } from './parts.ts';

/** A tab of a Firefox, in a container of its own. */
export interface FirefoxTab {
  /** Goes to a URL, and waits until a page with the other has been loaded. */
  go(url: string, until?: string): Promise<void>;
  /** Goes to a URL, and waits until the page has the title, wherever that is. */
  goAnywhere(url: string, title: string): Promise<void>;
  /** Runs something in the page, and waits until a page with the URL has been loaded. */
  act(expression: string, until: string): Promise<void>;
  /** Runs something in the page, and waits until a page has the title, wherever that is. */
  actAnywhere(expression: string, title: string): Promise<void>;
  reload(): Promise<void>;
  /** Goes back, and waits until the page has the title: one from the back-forward cache loads nothing. */
  back(title: string): Promise<void>;
  evaluate(expression: string): Promise<unknown>;
  /** Cookies of all pages: those for one path only are left out. */
  cookieNames(): Promise<string[]>;
  /** Another tab, which shares its cookies. */
  another(): Promise<FirefoxTab>;
}

/** A real Firefox, driven by WebDriver BiDi. */
export interface Firefox {
  /** A tab that shares no cookies with any other. */
  open(): Promise<FirefoxTab>;
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly context?: string; readonly url?: string };
  readonly result?: Record<string, unknown>;
  readonly error?: string;
  readonly message?: string;
}

/** What keeps it from calling home, and `localDomains`, which are this machine. */
const preferences = (localDomains: readonly string[]): Record<string, unknown> => ({
  'network.dns.localDomains': localDomains.join(','),
  'app.update.disabledForTesting': true,
  'browser.shell.checkDefaultBrowser': false,
  'browser.aboutwelcome.enabled': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'extensions.getAddons.cache.enabled': false,
  'services.settings.server': 'data:,',
});

/**
 * Starts Debian's Firefox. Throw-away certificates are accepted; nothing that concerns cookies is
 * changed.
 */
export async function startFirefox(localDomains: readonly string[]): Promise<Firefox> {
  const program = requirePart('firefox-esr');
  const folder = await mkdtemp(join(tmpdir(), 'firefox-'));
  const lines = Object.entries(preferences(localDomains)).map(
    ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`,
  );
  await writeFile(join(folder, 'user.js'), lines.join('\n'));
  const args = ['--headless', '--profile', folder, '--remote-debugging-port=0'];
  const firefox = startProgram(program, args, {
    env: { ...process.env, HOME: folder, MOZ_CRASHREPORTER_DISABLE: '1' },
  });
  const ended = once(firefox, 'exit');
  const close = async (): Promise<void> => {
    if (firefox.kill('SIGKILL')) await ended;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  try {
    for await (const line of createInterface({ input: firefox.stderr })) {
      const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
      if (address === undefined) continue;
      firefox.stderr.resume();
      const session = await startSession(`${address}/session`);
      return { open: () => openTab(session), close };
    }
    throw new Error('firefox-esr did not start');
  } catch (error) {
    await close();
    throw error;
  }
}

interface Session {
  send(method: string, params: object): Promise<Record<string, unknown>>;
  /** Resolves when a page with the URL has been loaded in the tab. */
  loaded(context: string, url: string): Promise<void>;
}

async function startSession(address: string): Promise<Session> {
  const socket = new WebSocket(address);
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  let count = 0;
  const waiting = new Map<number, (message: Message) => void>();
  const listeners = new Set<(message: Message) => void>();
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message;
    if (message.id === undefined) for (const listener of listeners) listener(message);
    else waiting.get(message.id)?.(message);
  });
  const send: Session['send'] = async (method, params) => {
    count += 1;
    const id = count;
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    socket.send(JSON.stringify({ id, method, params }));
    const { error, message, result = {} } = await answer;
    waiting.delete(id);
    if (error !== undefined) throw new Error(`${method}: ${error}: ${message}`);
    return result;
  };
  await send('session.new', { capabilities: { alwaysMatch: { acceptInsecureCerts: true } } });
  await send('session.subscribe', { events: ['browsingContext.load'] });
  const loaded: Session['loaded'] = (context, url) =>
    new Promise((resolve) => {
      const listener = ({ method, params }: Message): void => {
        if (method !== 'browsingContext.load') return;
        if (params?.context !== context || params.url !== url) return;
        listeners.delete(listener);
        resolve();
      };
      listeners.add(listener);
    });
  return { send, loaded };
}

async function openTab(session: Session, container?: unknown): Promise<FirefoxTab> {
  const { send, loaded } = session;
  const userContext = container ?? (await send('browser.createUserContext', {}))['userContext'];
  const created = await send('browsingContext.create', { type: 'tab', userContext });
  const context = String(created['context']);
  const run = (expression: string): Promise<Record<string, unknown>> =>
    send('script.evaluate', { expression, target: { context }, awaitPromise: true });
  const isShowing = async (title: string): Promise<boolean> => {
    // A page that is about to be left answers nothing, and one that is half there has no button.
    const shown = 'document.readyState === "complete" && document.title';
    const { result } = await run(shown).catch(() => ({ result: {} }));
    return (result as { value?: unknown }).value === title;
  };
  return {
    async goAnywhere(url, title) {
      await send('browsingContext.navigate', { context, url, wait: 'none' });
      await eventually(() => isShowing(title));
    },
    async go(url, until = url) {
      const arrival = loaded(context, until);
      await send('browsingContext.navigate', { context, url, wait: 'none' });
      await arrival;
    },
    async act(expression, until) {
      const arrival = loaded(context, until);
      // Its answer may get lost with the page.
      run(expression).catch(() => undefined);
      await arrival;
    },
    async actAnywhere(expression, title) {
      run(expression).catch(() => undefined);
      await eventually(() => isShowing(title));
    },
    async reload() {
      await send('browsingContext.reload', { context, wait: 'complete' });
    },
    async back(title) {
      await send('browsingContext.traverseHistory', { context, delta: -1 });
      await eventually(() => isShowing(title));
    },
    async evaluate(expression) {
      const { result, exceptionDetails } = await run(expression);
      if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
      return (result as { value?: unknown }).value;
    },
    async cookieNames() {
      const { cookies } = await send('storage.getCookies', {
        partition: { type: 'context', context },
      });
      const ofAll = (cookies as { name: string; path: string }[]).filter(
        ({ path }) => path === '/',
      );
      return ofAll.map(({ name }) => name).sort();
    },
    another: () => openTab(session, userContext),
  };
}
