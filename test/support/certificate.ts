import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Certificate } from '../../lib/testing/listen-tls.ts';

export type { Certificate } from '../../lib/testing/listen-tls.ts';

import { runProgram } from './child-process.ts';
import { requirePart } from './parts.ts';

/**
 * Makes a certificate for DNS names and addresses, good for a day and trusted by nobody.
 *
 * @throws Error when `openssl` is missing or refuses, with what it said
 */
export function makeCertificate(...names: [string, ...string[]]): Promise<Certificate> {
  return runOpenssl(names);
}

/** The same, signed by the key of another one, so that who trusts that one trusts this. */
export function makeCertificateOf(
  authority: Certificate,
  ...names: [string, ...string[]]
): Promise<Certificate> {
  return runOpenssl(names, authority);
}

async function runOpenssl(
  names: [string, ...string[]],
  authority?: Certificate,
): Promise<Certificate> {
  const openssl = requirePart('openssl');
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const alternatives = names.map((name) => `${isIP(name) ? 'IP' : 'DNS'}:${name}`).join(',');
  const signer = authority && {
    '-CA': [join(folder, 'ca.pem'), authority.cert],
    '-CAkey': [join(folder, 'ca-key.pem'), authority.key],
  };
  try {
    for (const [path = '', pem = ''] of Object.values(signer ?? {})) await writeFile(path, pem);
    await runProgram(openssl, [
      ...['req', '-x509', '-nodes', '-days', '1', '-newkey', 'ec'],
      ...['-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives}`],
      ...['-keyout', key, '-out', cert],
      ...Object.entries(signer ?? {}).flatMap(([flag, [path = '']]) => [flag, path]),
    ]);
    return { key: await readFile(key, 'utf8'), cert: await readFile(cert, 'utf8') };
  } catch (error) {
    const said = (error as { stderr?: string }).stderr ?? String(error);
    throw new Error(`openssl made no certificate for ${names.join(', ')}: ${said.trim()}`, {
      cause: error,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
