import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'undici';
import { startProgram } from './child-process.ts';
import { eventually } from './eventually.ts';
import { requirePart } from './parts.ts';
import { arriveAt, type KeptCookie, type Tab, type TabbedBrowser, type View } from './tab.ts';

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
  // What takes time and changes nothing that a page can see.
  'app.normandy.enabled': false,
  'browser.chrome.site_icons': false,
  'browser.ml.enable': false,
  'browser.newtabpage.enabled': false,
  'browser.pagethumbnails.capturing_disabled': true,
  'browser.sessionstore.interval': 3_600_000,
  'browser.sessionstore.resume_from_crash': false,
  'browser.startup.page': 0,
  'browser.translations.enable': false,
  'dom.ipc.processCount': 1,
  'dom.ipc.processPrelaunch.enabled': false,
  'fission.autostart': false,
  'places.history.enabled': false,
  'toolkit.cosmeticAnimations.enabled': false,
  'toolkit.telemetry.enabled': false,
  'ui.prefersReducedMotion': 1,
});

/**
 * Starts Debian's Firefox, driven by WebDriver BiDi. Throw-away certificates are accepted; nothing that
 * concerns cookies is changed.
 */
export async function startFirefox(localDomains: readonly string[]): Promise<TabbedBrowser> {
  const settings = preferences(localDomains);
  const running = [await launch(settings)];
  return {
    async open({ runsScripts } = { runsScripts: true }) {
      // One container of it cannot be told, so that is another Firefox.
      if (!runsScripts) running.push(await launch({ ...settings, 'javascript.enabled': false }));
      const { session } = (runsScripts ? running[0] : running.at(-1)) as RunningFirefox;
      const { userContext } = await session.send('browser.createUserContext', {});
      return openTab(session, userContext);
    },
    async close() {
      for (const { close } of running) await close();
    },
  };
}

interface RunningFirefox {
  readonly session: Session;
  close(): Promise<void>;
}

async function launch(settings: Record<string, unknown>): Promise<RunningFirefox> {
  const program = requirePart('firefox-esr');
  const folder = await mkdtemp(join(tmpdir(), 'firefox-'));
  const lines = Object.entries(settings).map(
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
      return { session: await startSession(`${address}/session`), close };
    }
    throw new Error('firefox-esr did not start');
  } catch (error) {
    await close();
    throw error;
  }
}

interface Session {
  send(method: string, params: object): Promise<Record<string, unknown>>;
  /** Calls a function at each page that has been loaded in the tab, until it is told to stop. */
  onLoad(context: string, listener: () => void): () => void;
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
  const onLoad: Session['onLoad'] = (context, listener) => {
    const hear = ({ method, params }: Message): void => {
      if (method === 'browsingContext.load' && params?.context === context) listener();
    };
    listeners.add(hear);
    return () => listeners.delete(hear);
  };
  return { send, onLoad };
}

async function openTab(session: Session, userContext: unknown): Promise<Tab> {
  const { send } = session;
  const created = await send('browsingContext.create', { type: 'tab', userContext });
  const context = String(created['context']);
  const run = async (expression: string, awaitPromise: boolean): Promise<BidiValue> => {
    const { result, exceptionDetails } = await send('script.evaluate', {
      expression,
      target: { context },
      awaitPromise,
    });
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return result as BidiValue;
  };
  const evaluate: Tab['evaluate'] = async (expression) => {
    const { value } = await run(`Promise.resolve(${expression}).then(JSON.stringify)`, true);
    return value === undefined ? undefined : JSON.parse(value);
  };
  // Without a promise, which comes to nothing in a page where no scripts run.
  const read = async (expression: string): Promise<unknown> =>
    JSON.parse((await run(`JSON.stringify(${expression})`, false)).value ?? 'null');
  const first = (selector: string): string => `document.querySelector(${JSON.stringify(selector)})`;
  const view: View = {
    onLoad: (listener) => session.onLoad(context, listener),
    async look() {
      const page = '[document.readyState, location.href, document.title]';
      const [state, url, title] = (await read(page)) as string[];
      // By the time of this question the page that was loaded may have made way for another.
      if (state !== 'complete') throw new Error(`not loaded: ${url}`);
      return { url: String(url), title: String(title) };
    },
  };
  const push: Tab['push'] = async (selector) => {
    const isVisible = `${first(selector)}.checkVisibility({ visibilityProperty: true })`;
    await eventually(async () => (await read(isVisible)) === true);
    const { sharedId } = await run(first(selector), false);
    const origin = { type: 'element', element: { sharedId } };
    const actions = [
      { type: 'pointerMove', x: 0, y: 0, origin },
      { type: 'pointerDown', button: 0 },
      { type: 'pointerUp', button: 0 },
    ];
    await send('input.performActions', {
      context,
      actions: [{ type: 'pointer', id: 'mouse', actions }],
    });
  };
  const partition = { type: 'storageKey', userContext };
  const navigate = (url: string): Promise<unknown> =>
    send('browsingContext.navigate', { context, url, wait: 'none' });
  return {
    async show() {
      await send('browsingContext.activate', { context });
    },
    go: (url, sight = { url }) => arriveAt(sight, () => navigate(url), view),
    setOut: (url) => void navigate(url).catch(() => undefined),
    arrive: (sight, act) => arriveAt(sight, act, view),
    click: (selector, sight) => arriveAt(sight, () => push(selector), view),
    push,
    pushAgain: () => push('button, a'),
    async reload() {
      await send('browsingContext.reload', { context, wait: 'complete' });
    },
    async back(title) {
      await send('browsingContext.traverseHistory', { context, delta: -1 });
      // A page that is half there has no button.
      const isThere = `document.readyState === 'complete' && document.title === ${JSON.stringify(title)}`;
      await eventually(() => read(isThere).then(Boolean, () => false));
    },
    evaluate,
    text: (selector) => read(`${first(selector)}.textContent`),
    async cookies(origin) {
      const filter = { domain: new URL(origin).hostname, path: '/' };
      const { cookies } = await send('storage.getCookies', { partition, filter });
      const kept = (cookies as BidiCookie[]).map(({ name, value, secure }) => ({
        name,
        value: value.value,
        secure,
      }));
      return kept.sort((one, other) => one.name.localeCompare(other.name));
    },
    async deleteCookies(name = /^/) {
      const { cookies } = await send('storage.getCookies', { partition });
      const names = (cookies as BidiCookie[]).map((cookie) => cookie.name);
      for (const each of new Set(names.filter((candidate) => name.test(candidate)))) {
        await send('storage.deleteCookies', { partition, filter: { name: each } });
      }
    },
    another: () => openTab(session, userContext),
  };
}

/** What a script comes to, as WebDriver BiDi describes it: a text, or an element. */
interface BidiValue {
  readonly value?: string;
  readonly sharedId?: string;
}

type BidiCookie = Omit<KeptCookie, 'value'> & { readonly value: { readonly value: string } };
