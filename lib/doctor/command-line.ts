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

The client secret may be in the environment as CLIENT_SECRET; then the credentials are tried as well.
Exit status: 0 all well, 1 something has to change, 2 wrong usage.
`;

/** What a command line has to do with the world. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readStdin: () => Promise<string>;
  readonly print: (text: string) => void;
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
  if (args.some((argument) => ['help', '--help', '-h'].includes(argument))) {
    print(usage);
    return 0;
  }
  let patient: Patient;
  try {
    patient = await readPatient(args, surroundings);
  } catch (error) {
    print(`${plain(error instanceof Error ? error.message : String(error))}\n\n${usage}`);
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
  { env, readStdin, fetch, now }: Surroundings,
): Promise<Patient> {
  if (command !== 'doctor') throw new Error('the only command is "doctor"');
  if (args.some((argument) => /^--client-secret(=|$)/.test(argument))) {
    throw new Error(
      'a secret must not be an argument, which other users of the machine can read: set CLIENT_SECRET, or use --client-secret-stdin',
    );
  }
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: {
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
    },
  });
  const required = (name: 'issuer' | 'client-id' | 'base-url'): string => {
    const value = values[name];
    if (value === undefined) throw new Error(`--${name} is missing`);
    return value;
  };
  const secret = values['client-secret-stdin'] ? (await readStdin()).trim() : env['CLIENT_SECRET'];
  return {
    issuer: required('issuer'),
    clientId: required('client-id'),
    baseUrl: required('base-url'),
    clientSecret: secret === '' ? undefined : secret,
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

function describe({ verdict, about, found, change }: Finding): string {
  const line = `${verdict.padEnd(6)}${about.padEnd(16)}${plain(found)}\n`;
  return change === undefined ? line : `${line}${' '.repeat(22)}change: ${plain(change)}\n`;
}

/** A terminal obeys control characters, and an issuer or a client id may have been pasted from anywhere. */
function plain(text: string): string {
  return text.replace(/\p{C}/gu, '\u{FFFD}');
}
