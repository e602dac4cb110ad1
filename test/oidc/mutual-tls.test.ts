import { X509Certificate } from 'node:crypto';
import { beforeAll, expect, it } from '@jest/globals';
import { type HybridFlowOptions, hybridFlow } from 'passport-oidc-hybrid';
import { readClientCertificate } from '../../lib/client-certificate.ts';
import { createMutualTls } from '../../lib/oidc/mutual-tls.ts';
import { createProvider } from '../../lib/oidc/provider.ts';
import { requestTokens } from '../../lib/oidc/token-endpoint.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { opByFetch } from '../support/op-by-fetch.ts';
import { describeWithParts } from '../support/parts.ts';

let certificate: Certificate;
let other: Certificate;

const options = {
  issuer: 'https://op.example',
  clientId: 'client',
  baseUrl: 'https://app.example',
  secret: 'a sealing secret that no message may show',
};

describeWithParts(['openssl'], 'a certificate of the client', () => {
  beforeAll(async () => {
    certificate = await makeCertificate('client.example');
    other = await makeCertificate('other.example');
  });

  const make = (change: object): void => {
    const tls = { tokenEndpointAuthMethod: 'tls_client_auth', clientCertificate: certificate };
    hybridFlow({ ...options, ...tls, ...change } as HybridFlowOptions);
  };

  it('is enough for a client, without a secret', () => {
    expect(() => make({})).not.toThrow();
    expect(() => make({ clientCertificate: () => certificate })).not.toThrow();
    expect(() => make({ clientCertificate: { ...certificate, ca: [other.cert] } })).not.toThrow();
  });

  it.each([
    ['clientCertificate', () => undefined, 'ERR_OIDC_OPTION_MISSING'],
    ['clientCertificate', () => certificate.cert, 'ERR_OIDC_OPTION_INVALID'],
    ['clientCertificate', () => () => 'no certificate', 'ERR_OIDC_OPTION_INVALID'],
    ['clientCertificate.cert', () => ({ ...certificate, cert: 'PEM' }), 'ERR_OIDC_OPTION_INVALID'],
    [
      'clientCertificate.key',
      () => ({ ...certificate, key: other.key }),
      'ERR_OIDC_OPTION_INVALID',
    ],
    ['clientCertificate.key', () => ({ cert: certificate.cert }), 'ERR_OIDC_OPTION_INVALID'],
    ['clientCertificate.ca', () => ({ ...certificate, ca: 'PEM' }), 'ERR_OIDC_OPTION_INVALID'],
    ['clientCertificate.pem', () => ({ ...certificate, pem: '' }), 'ERR_OIDC_OPTION_INVALID'],
  ])('is refused at start-up for what is wrong with %s', (option, clientCertificate, code) => {
    const wrong = clientCertificate();
    const error = expect.objectContaining({ option, code });
    expect(() => make({ clientCertificate: wrong })).toThrow(error);
  });

  it('has to be there where tokens are to be bound to it', () => {
    const wrong = { clientCertificate: undefined, certificateBoundAccessTokens: true };
    expect(() => make({ ...wrong, tokenEndpointAuthMethod: 'none' })).toThrow('clientCertificate');
  });

  it('is named by its thumbprint, and read anew when it has changed', async () => {
    const current = { certificate };
    const mutualTls = createMutualTls(readClientCertificate(() => ({ ...current.certificate })));
    const thumbprintOf = ({ cert }: Certificate): string =>
      Buffer.from(new X509Certificate(cert).fingerprint256.replaceAll(':', ''), 'hex').toString(
        'base64url',
      );
    const before = await mutualTls.dispatcher();
    expect(mutualTls.thumbprint()).toBe(thumbprintOf(certificate));
    expect(await mutualTls.dispatcher()).toBe(before);
    current.certificate = other;
    expect(await mutualTls.dispatcher()).not.toBe(before);
    expect(mutualTls.thumbprint()).toBe(thumbprintOf(other));
  });

  const bound = () => {
    const op = opByFetch(
      { clientCertificate: certificate, certificateBoundAccessTokens: true },
      { tokenEndpointAuthMethod: 'tls_client_auth' },
    );
    op.metadata['tls_client_certificate_bound_access_tokens'] = true;
    const mutualTls = createMutualTls(readClientCertificate(certificate));
    return { op, mutualTls, provider: createProvider(op.options, mutualTls) };
  };
  const refresh = { refresh_token: 'rt' };
  const encoded = (payload: string): string =>
    `e30.${Buffer.from(payload).toString('base64url')}.c2ln`;
  const jwt = (payload: object): string => encoded(JSON.stringify(payload));

  it('proves the client, by client_id alone in the request', async () => {
    const { op, provider } = bound();
    await requestTokens(provider, 'refresh_token', refresh);
    const { parameters, headers } = op.requests.at(-1) ?? {};
    expect(parameters).toEqual({ ...refresh, client_id: 'client', grant_type: 'refresh_token' });
    expect(headers?.get('authorization')).toBeNull();
  });

  it.each([undefined, false])(
    'needs an OP that says that it binds tokens, not %p',
    async (says) => {
      const { op, provider } = bound();
      op.metadata['tls_client_certificate_bound_access_tokens'] = says;
      await expect(provider.discovered()).rejects.toMatchObject({
        code: 'ERR_OIDC_METADATA',
        message: expect.stringContaining('tls_client_certificate_bound_access_tokens'),
      });
    },
  );

  it('has aliases of https only, at an https issuer', async () => {
    const { op, provider } = bound();
    op.metadata['mtls_endpoint_aliases'] = { token_endpoint: 'http://mtls.op.example/token' };
    await expect(provider.discovered()).rejects.toMatchObject({ code: 'ERR_OIDC_METADATA' });
  });

  const ordinary = {
    token_endpoint: 'https://op.example/token',
    revocation_endpoint: 'https://op.example/revoke',
    userinfo_endpoint: 'https://op.example/userinfo',
    pushed_authorization_request_endpoint: 'https://op.example/par',
  };
  const aliases = Object.fromEntries(
    Object.entries(ordinary).map(([name, url]) => [name, url.replace('op.', 'mtls.op.')]),
  );

  it('is shown at the aliases of all endpoints that this client calls, and of no others', async () => {
    const { op, provider } = bound();
    Object.assign(op.metadata, ordinary, {
      mtls_endpoint_aliases: {
        ...aliases,
        authorization_endpoint: 'https://mtls.op.example/authorize',
        jwks_uri: 'https://mtls.op.example/jwks',
      },
    });
    const { metadata, authorizationEndpoint } = await provider.discovered();
    expect(authorizationEndpoint).toBe('https://op.example/authorize');
    expect(metadata).toMatchObject({ ...aliases, jwks_uri: 'https://op.example/jwks' });
  });

  it('is shown where there is no alias, too, and without one aliases are of no use', async () => {
    const { op, provider } = bound();
    const { token_endpoint } = aliases;
    Object.assign(op.metadata, ordinary, { mtls_endpoint_aliases: { token_endpoint } });
    expect((await provider.discovered()).metadata).toMatchObject({ ...ordinary, token_endpoint });
    const unbound = { ...op.options, certificateBoundAccessTokens: false };
    const without = await createProvider(unbound).discovered();
    expect(without.metadata).toMatchObject(ordinary);
    expect(without.boundTo).toBeUndefined();
  });

  it('goes along to a fetch of the application, as the connections that show it', async () => {
    const { op, mutualTls } = bound();
    const shown: unknown[] = [];
    const customFetch: typeof fetch = (input, init) => {
      shown.push((init as { dispatcher?: unknown }).dispatcher);
      return (op.options.customFetch ?? fetch)(input, init);
    };
    const options = { ...op.options, customFetch };
    await requestTokens(createProvider(options, mutualTls), 'refresh_token', refresh);
    expect(shown.length).toBeGreaterThan(1);
    expect(new Set(shown)).toEqual(new Set([await mutualTls.dispatcher()]));
    shown.length = 0;
    const without = { ...options, certificateBoundAccessTokens: false };
    await requestTokens(createProvider(without), 'refresh_token', refresh);
    expect(new Set(shown)).toEqual(new Set([undefined]));
  });

  it('may be replaced while a token is asked for, which then names either of the two', async () => {
    const { op } = bound();
    const stranger = await makeCertificate('stranger.example');
    const thumbprintOf = (of: Certificate): string => readClientCertificate(of)().thumbprint;
    const ask = (named: Certificate): Promise<unknown> => {
      const current = { certificate };
      const mutualTls = createMutualTls(readClientCertificate(() => ({ ...current.certificate })));
      op.token = () => {
        current.certificate = other;
        const access_token = jwt({ cnf: { 'x5t#S256': thumbprintOf(named) } });
        return Response.json({ access_token, token_type: 'Bearer' });
      };
      return requestTokens(createProvider(op.options, mutualTls), 'refresh_token', refresh);
    };
    await expect(ask(certificate)).resolves.toMatchObject({ accessToken: expect.any(String) });
    await expect(ask(other)).resolves.toMatchObject({ accessToken: expect.any(String) });
    await expect(ask(stranger)).rejects.toMatchObject({ code: 'ERR_OIDC_TOKEN_BINDING' });
  });

  it('is what a JWT has to name that is an access token', async () => {
    const { op, provider, mutualTls } = bound();
    const answer = (accessToken: string): void => {
      op.token = () => Response.json({ access_token: accessToken, token_type: 'Bearer' });
    };
    const request = () => requestTokens(provider, 'refresh_token', refresh);
    const opaque = ['opaque', 'a.b.c', ...['null', '[]', '7', '"text"'].map(encoded)];
    for (const good of [...opaque, jwt({ cnf: { 'x5t#S256': mutualTls.thumbprint() } })]) {
      answer(good);
      expect(await request()).toMatchObject({ accessToken: good });
    }
    const list = { 'x5t#S256': [mutualTls.thumbprint()] };
    const wrong = [
      {},
      { cnf: null },
      { cnf: { 'x5t#S256': 'x' } },
      { cnf: { 'x5t#S256': '' } },
      { cnf: { jkt: mutualTls.thumbprint() } },
      { cnf: list },
    ];
    for (const payload of wrong) {
      answer(jwt(payload));
      await expect(request()).rejects.toMatchObject({
        code: 'ERR_OIDC_TOKEN_BINDING',
        section: 'RFC 8705 3.1',
      });
    }
  });
});
