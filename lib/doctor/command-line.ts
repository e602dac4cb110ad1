import { parseArgs } from 'node:util';
import { examine, type Patient } from './examine.ts';
import type { Finding } from './finding.ts';

const usage = `usage: npx passport-oidc-hybrid doctor --issuer URL --client-id ID --base-url URL

Asks an OP, without signing anybody in, whether logins of this client would succeed, and says what to change.

  --issuer URL          issuer identifier, to the letter as in the discovery document
  --client-id ID
  --base-url URL        public URL of the application
  --callback-path PATH  default: /callback
  --response-type TYPE  default: code id_token
  --response-mode MODE  default: as the library chooses
  --scope SCOPE         default: openid profile email offline_access
  --audience API, --resource URI
  --client-secret-stdin reads the client secret from standard input
  --client-key FILE     private key for private_key_jwt: PEM or a JWK; with --client-key-alg ALG, --client-key-id KID
  --certificate FILE    for mutual TLS, PEM, with --certificate-key FILE
  --auth-method METHOD  default: as the library chooses by what is given; "none" for a public client

The client secret may be in the environment as CLIENT_SECRET, the passphrase of a certificate's key as
CERTIFICATE_PASSPHRASE. With a secret, a key or a certificate the credentials are tried as well.
Exit status: 0 all well, 1 something has to change, 2 wrong usage, 3 the doctor itself has failed.
`;

/** What the command line says is wrong. */
class UsageError extends Error {}

/** What a command line has to do with the world. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readStdin: () => Promise<string>;
  readonly print: (text: string) => void;
  /** @throws Error with a `code`, such as ENOENT */
  readonly readFile?: (path: string) => Promise<string>;
  /** Of this package. */
  readonly version?: string;
  readonly fetch?: typeof globalThis.fetch;
  readonly now?: () => number;
}

/**
 * Runs the command.
 *
 * @returns the exit status
 */
export async function runCommand(
  args: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { print } = surroundings;
  try {
    return await run(args, surroundings);
  } catch (error) {
    print(`${explainFailure(error, surroundings.version)}\n`);
    return 3;
  }
}

/** Of an exception that nobody has foreseen: without its message, in which a secret may be. */
export function explainFailure(error: unknown, version = 'of an unknown version'): string {
  const { name, code } = Object(error) as { name?: unknown; code?: unknown };
  const what = [name, code].filter((one) => typeof one === 'string').join(', ') || typeof error;
  return `The doctor itself has failed (${plain(what).slice(0, 100)}), which says nothing of your set-up: please report it, with this line, as a bug of passport-oidc-hybrid ${version} on Node ${process.version}.`;
}

async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { print } = surroundings;
  if (args.some((argument) => ['help', '--help', '-h'].includes(argument))) {
    print(usage);
    return 0;
  }
  let patient: Patient;
  try {
    patient = await readPatient(args, surroundings);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    print(`${plain(error.message)}\n\n${usage}`);
    return 2;
  }
  const findings = await examine(patient);
  print(findings.map(describe).join(''));
  const failures = findings.filter(({ verdict }) => verdict === 'fail').length;
  print(failures === 0 ? '\nNothing has to change.\n' : `\n${failures} to change.\n`);
  return failures === 0 ? 0 : 1;
}

async function readPatient(
  [command, ...args]: readonly string[],
  { env, readStdin, readFile, fetch, now }: Surroundings,
): Promise<Patient> {
  if (command !== 'doctor') throw new UsageError('the only command is "doctor"');
  if (args.some((argument) => /^--client-secret(=|$)/.test(argument))) {
    throw new UsageError(
      'a secret must not be an argument, which other users of the machine can read: set CLIENT_SECRET, or use --client-secret-stdin',
    );
  }
  const values = readValues(args);
  const required = (name: 'issuer' | 'client-id' | 'base-url'): string => {
    const value = values[name];
    if (value === undefined) throw new UsageError(`--${name} is missing`);
    return value;
  };
  const readNamed = async (
    name: 'client-key' | 'certificate' | 'certificate-key',
  ): Promise<string | undefined> => {
    const path = values[name];
    if (path === undefined) return undefined;
    try {
      return await readFile?.(path);
    } catch (error) {
      throw new UsageError(`--${name}: cannot read ${path} (${Object(error).code})`);
    }
  };
  const [cert, key] = [await readNamed('certificate'), await readNamed('certificate-key')];
  if ((cert === undefined) !== (key === undefined)) {
    throw new UsageError('--certificate and --certificate-key belong together');
  }
  const passphrase = env['CERTIFICATE_PASSPHRASE'];
  const secret = values['client-secret-stdin'] ? (await readStdin()).trim() : env['CLIENT_SECRET'];
  return {
    issuer: required('issuer'),
    clientId: required('client-id'),
    baseUrl: required('base-url'),
    clientSecret: secret === '' ? undefined : secret,
    authMethod: values['auth-method'],
    clientKey: await readNamed('client-key'),
    clientKeyAlg: values['client-key-alg'],
    clientKeyId: values['client-key-id'],
    clientCertificate:
      cert === undefined || key === undefined ? undefined : { cert, key, passphrase },
    callbackPath: values['callback-path'],
    responseType: values['response-type'],
    responseMode: values['response-mode'],
    scope: values.scope ?? 'openid profile email offline_access',
    audience: values.audience,
    resource: values.resource,
    ...(fetch === undefined ? {} : { fetch }),
    ...(now === undefined ? {} : { now }),
  };
}

function readValues(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const options = {
    issuer: text,
    'client-id': text,
    'base-url': text,
    'callback-path': text,
    'response-type': text,
    'response-mode': text,
    scope: text,
    audience: text,
    resource: text,
    'client-secret-stdin': { type: 'boolean' },
    'auth-method': text,
    'client-key': text,
    'client-key-alg': text,
    'client-key-id': text,
    certificate: text,
    'certificate-key': text,
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    // It names the argument that is wrong, and what to write.
    throw new UsageError((error as Error).message);
  }
}

function describe({ verdict, about, found, change }: Finding): string {
  const line = `${verdict.padEnd(6)}${about.padEnd(16)}${plain(found)}\n`;
  return change === undefined ? line : `${line}${' '.repeat(22)}change: ${plain(change)}\n`;
}

/** A terminal obeys control characters, and an issuer or a client id may have been pasted from anywhere. */
function plain(text: string): string {
  return text.replace(/\p{C}/gu, '\u{FFFD}');
}
