import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { KoaContextWithOIDC } from 'oidc-provider';

function peerCertificate({ socket }: IncomingMessage): Buffer | undefined {
  return (socket as Partial<TLSSocket>).getPeerCertificate?.()?.raw;
}

/** `x5t#S256` of the certificate that a request came with. */
export function presentedThumbprint(req: IncomingMessage): string | undefined {
  const raw = peerCertificate(req);
  return raw && createHash('sha256').update(raw).digest('base64url');
}

/** The certificate that a request to the OP came with: DER, base64. */
export function shownCertificate(ctx: KoaContextWithOIDC): string | undefined {
  return peerCertificate(ctx.req)?.toString('base64');
}

/** oidc-provider's feature, by the TLS connection itself: nothing is taken from a header. */
export const mutualTlsFeature: Readonly<Record<string, unknown>> = {
  enabled: true,
  certificateBoundAccessTokens: true,
  selfSignedTlsClientAuth: true,
  tlsClientAuth: true,
  getCertificate: shownCertificate,
  certificateAuthorized: (ctx: KoaContextWithOIDC) => (ctx.req.socket as TLSSocket).authorized,
  certificateSubjectMatches(ctx: KoaContextWithOIDC, property: string, expected: string) {
    if (property !== 'tls_client_auth_san_dns') return false;
    const { subjectaltname } = (ctx.req.socket as TLSSocket).getPeerCertificate();
    return subjectaltname?.split(', ').includes(`DNS:${expected}`) ?? false;
  },
};
