import { createServer, type RequestListener, type Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { OptionsError } from 'passport-oidc-hybrid';
import { createApi } from './api.ts';
import { demoAccounts } from './op-accounts.ts';
import { openSessions } from './sessions.ts';
import { readSettings, type Settings, SettingsError } from './settings.ts';
import { createSignIn } from './sign-in.ts';
import { createSite } from './site.ts';

/** What has to be closed again, in the order it was opened. */
const opened: { close: () => Promise<void> }[] = [];

try {
  await start();
} catch (error) {
  // What the reader can put right is one line; anything else is a fault and keeps its stack.
  const isExpected = error instanceof SettingsError || error instanceof OptionsError;
  console.error(isExpected ? error.message : error);
  await stop();
  process.exitCode = 1;
}

async function start(): Promise<void> {
  loadEnvironment(fileURLToPath(new URL('../.env', import.meta.url)));
  const settings = readSettings(process.env);
  const sessions = await openSessions(settings);
  opened.push(sessions);
  if (settings.usesLocalOp) {
    const { createOp } = await import('./op.ts'); // Only here: with ISSUER it is not even loaded.
    await listen(await createOp(settings), settings.opPort, 'OP_PORT');
  }
  await listen(createApi(settings), settings.apiPort, 'API_PORT');
  const signIn = createSignIn(settings, sessions.lock);
  const site = createSite(settings, signIn, sessions.middleware);
  await listen(site, settings.port, 'PORT', settings.listenAddress);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);

  await Promise.all(probes(settings).map(([url, wanted]) => probe(url, wanted)));
  const providerStatus = await signIn.ready().then(
    () => 'reached',
    (error: Error) => `NOT reached, sign-in will try again: ${error.message}`,
  );
  console.log(describeStart(settings, providerStatus));
  console.log(`READY ${settings.baseUrl}`);
}

/** Variables that are already set win over the file. */
function loadEnvironment(file: string): void {
  try {
    process.loadEnvFile(file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** Listens on loopback, unless it is told otherwise: an example is nothing to offer to a network. */
async function listen(
  listener: RequestListener,
  port: number,
  variable: string,
  address = '127.0.0.1',
): Promise<void> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE';
      const hint = `port ${port} is in use: stop what listens there, or set ${variable} to a free one`;
      reject(isTaken ? new SettingsError(hint) : error);
    });
    server.listen(port, address, resolve);
  });
  opened.push({ close: () => closeServer(server) });
}

function closeServer(server: Server): Promise<void> {
  // Requests under way may finish, but not for ever.
  setTimeout(() => server.closeAllConnections(), 3000).unref();
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Closes what was opened, last first; the process then ends by itself. */
async function stop(): Promise<void> {
  for (const { close } of opened.splice(0).reverse()) await close();
}

/** An address of each server, and the status that proves it works: the API has to want a token. */
function probes(settings: Settings): [url: string, wanted: number][] {
  const local = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`;
  const op = local(settings.opPort, '/.well-known/openid-configuration');
  return [
    [local(settings.port, '/'), 200],
    [local(settings.apiPort, '/whoami'), 401],
    ...(settings.usesLocalOp ? [[op, 200] satisfies [string, number]] : []),
  ];
}

async function probe(url: string, wanted: number): Promise<void> {
  const { status } = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(10_000) });
  if (status !== wanted) throw new SettingsError(`${url} answered ${status}, not ${wanted}`);
}

function describeStart(settings: Settings, providerStatus: string): string {
  const accounts = demoAccounts.map((account) => account.name).join(' or ');
  const temporary = 'end with this process (set SESSION_SECRET and OIDC_SECRET to keep them)';
  return `
  Halyard, a shop that signs its customers in with passport-oidc-hybrid

  open      ${settings.baseUrl}
  sign in   ${settings.usesLocalOp ? `as ${accounts}, with any password` : 'as a user of your OP'}
  OP        ${settings.issuer}, response_type "${settings.responseType}", ${providerStatus}
  API       ${settings.apiUrl}, called with an access token for ${settings.apiAudience}
  sessions  in ${settings.redisUrl ? 'Redis' : 'memory'}; they ${settings.hasTemporarySecrets ? temporary : 'outlive it if Redis holds them'}
  stop      Ctrl+C
`;
}
