import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Certificate } from '../../lib/testing/listen-tls.ts';

export type { Certificate } from '../../lib/testing/listen-tls.ts';

import { requirePart } from './parts.ts';

/**
 * Makes a certificate for DNS names, good for a day and trusted by nobody.
 *
 * @throws Error when `openssl` is missing or refuses, with what it said
 */
export async function makeCertificate(...names: [string, ...string[]]): Promise<Certificate> {
  const openssl = requirePart('openssl');
  const folder = await mkdtemp(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const alternatives = names.map((name) => `DNS:${name}`).join(',');
  try {
    await promisify(execFile)(openssl, [
      ...['req', '-x509', '-nodes', '-days', '1', '-newkey', 'ec'],
      ...['-pkeyopt', 'ec_paramgen_curve:prime256v1'],
      ...['-subj', `/CN=${names[0]}`, '-addext', `subjectAltName=${alternatives}`],
      ...['-keyout', key, '-out', cert],
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
