import { createPrivateKey, X509Certificate } from 'node:crypto';
import { OptionsError } from './errors.ts';

/** The certificate of the client, and the key that belongs to it; PEM. */
export interface ClientCertificateOptions {
  /** The certificate, and behind it those that lead to a CA that the OP knows. */
  cert: string;
  key: string;
  /** Of an encrypted key. */
  passphrase?: string | undefined;
  /** Certificates that the servers of OP and APIs may be signed with, in place of those of Node. PEM. */
  ca?: string | readonly string[] | undefined;
}

/** A certificate and its key: checked. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
  readonly passphrase: string | undefined;
  readonly ca: string[] | undefined;
  /** SHA-256 of its DER, base64url: `x5t#S256`. */
  readonly thumbprint: string;
}

const known = ['cert', 'key', 'passphrase', 'ca'];

/**
 * Reads the client's certificate: of a function at once, and again whenever it is needed, so that it can
 * be renewed without a restart.
 *
 * @throws {@link OptionsError} `ERR_OIDC_OPTION_INVALID` that says nothing of the key
 */
export function readClientCertificate(
  given: ClientCertificateOptions | (() => ClientCertificateOptions),
): () => ClientCertificate {
  if (typeof given !== 'function') {
    const certificate = check(given);
    return () => certificate;
  }
  let before = { texts: '', certificate: check(given()) };
  return () => {
    const now = given();
    const texts = JSON.stringify(now);
    if (texts !== before.texts) before = { texts, certificate: check(now) };
    return before.certificate;
  };
}

function check(given: unknown): ClientCertificate {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid('clientCertificate', 'must be an object with "cert" and "key", or a function');
  }
  const odd = Object.keys(given).find((name) => !known.includes(name));
  if (odd !== undefined) {
    throw invalid(`clientCertificate.${odd}`, `is not known; known are ${known.join(', ')}`);
  }
  const { cert, key, passphrase, ca } = given as ClientCertificateOptions;
  const x509 = readCertificate('cert', cert);
  const authorities = ca === undefined ? undefined : [ca].flat();
  for (const authority of authorities ?? []) readCertificate('ca', authority);
  if (!isKeyOf(x509, key, passphrase)) {
    throw invalid('clientCertificate.key', 'must be the private key of "cert", as PEM');
  }
  const thumbprint = Buffer.from(x509.fingerprint256.replaceAll(':', ''), 'hex');
  return Object.freeze({
    cert,
    key,
    passphrase,
    ca: authorities,
    thumbprint: thumbprint.toString('base64url'),
  });
}

function readCertificate(name: 'cert' | 'ca', pem: unknown): X509Certificate {
  try {
    return new X509Certificate(String(pem));
  } catch {
    throw invalid(`clientCertificate.${name}`, 'must be a certificate, as PEM');
  }
}

function isKeyOf(certificate: X509Certificate, key: unknown, passphrase: unknown): boolean {
  try {
    const secret = passphrase === undefined ? {} : { passphrase: String(passphrase) };
    return certificate.checkPrivateKey(createPrivateKey({ key: String(key), ...secret }));
  } catch {
    return false;
  }
}

function invalid(option: string, message: string): OptionsError {
  return new OptionsError('ERR_OIDC_OPTION_INVALID', option, `"${option}" ${message}`);
}
