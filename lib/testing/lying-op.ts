import { createHash, createHmac, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CompactEncrypt,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose';
import { createGate, type Gate } from './gate.ts';
import { tokenHash } from './hash.ts';
import type { AnswerLie, Encryption, IdTokenLie, Lies } from './lies.ts';
import { type Listening, listen } from './listen.ts';
import { type Certificate, listenTls } from './listen-tls.ts';
import { respond, sendSignInPage } from './op-pages.ts';

/** A request that the OP has got. */
export interface OpRequest {
  readonly method: string;
  readonly path: string;
  readonly parameters: Record<string, string>;
  readonly headers: IncomingMessage['headers'];
}

/** Where an OP is, if it is not plain http on 127.0.0.1. */
export interface OpSite {
  certificate?: Certificate;
  host?: string;
}

/** Who signs in, and with which further claims. */
export interface OpVisitor {
  readonly sub: string;
  readonly [claim: string]: unknown;
}

interface Grant {
  readonly request: Record<string, string>;
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly authTime: number;
  isRevoked: boolean;
}

interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
  readonly alg: string;
}

async function makeKey(alg: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomBytes(4).toString('hex');
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return { privateKey, publicKey, jwk, alg };
}

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';

const random = (): string => randomBytes(24).toString('base64url');

/**
 * An OpenID Provider of our own: honest, until it is told to lie. It signs everybody in as
 * `subject`, at once. Refresh tokens rotate, and a spent one revokes the grant, with no leeway.
 */
export class LyingOp {
  clientId = 'client';
  clientSecret = 'secret of the client: ä+&/%';
  /** Whom the next login is of. */
  subject = 'ada';
  /** Whether it shows a page with a button before it signs anybody in. */
  asksUser = false;
  /** Further claims of every ID Token. */
  claims: Record<string, unknown> = {};
  /** What it knows of every user, beside the subject. */
  userinfo: Record<string, unknown> = { name: 'Ada Marwick', email: 'ada@shop.example' };
  /** What it encrypts for the client. */
  encrypts: {
    idToken?: Encryption | undefined;
    userinfo?: Encryption | undefined;
    authorization?: Encryption | undefined;
  } = {};
  /** Everything that it was asked, oldest first. */
  requests: OpRequest[] = [];
  /** Every token, code and other secret it ever handed out. */
  readonly handedOut: string[] = [];
  /** Access tokens that it gave by the browser, and by the token endpoint. */
  accessTokens = { front: [] as string[], back: [] as string[] };
  /** What access tokens were asked for with: `resource`, `audience`, `scope` of the token request. */
  readonly targets: Map<string, Record<string, string>> = new Map();
  /** Refresh tokens that were taken, and spent ones that came again. */
  readonly refreshes = { granted: 0, reused: 0 };
  #lies: Lies = {};
  #keys: SigningKey[] = [];
  #listening: Pick<Listening, 'close'> | undefined;
  readonly #port: { value: number } = { value: 0 };
  readonly #now: () => number;
  readonly #codes = new Map<string, Grant>();
  readonly #refreshTokens = new Map<string, { grant: Grant; isSpent: boolean }>();
  readonly #valid = new Map<string, { grant: Grant; expiresAt: number }>();
  readonly #pushed = new Map<string, Record<string, string>>();
  readonly #held = new Map<string, Gate>();
  readonly #expected = new Map<string, OpVisitor>();

  readonly #site: OpSite;

  private constructor(now: () => number, site: OpSite) {
    this.#now = now;
    this.#site = site;
  }

  static async start(now: () => number = Date.now, site: OpSite = {}): Promise<LyingOp> {
    const op = new LyingOp(now, site);
    op.#keys = [await makeKey('ES256')];
    await op.resume();
    return op;
  }

  /** Its issuer identifier, for the option `issuer`. */
  get issuer(): string {
    const { certificate, host = '127.0.0.1' } = this.#site;
    return `${certificate === undefined ? 'http' : 'https'}://${host}:${this.#port.value}`;
  }

  /** Tells it to lie, besides the lies it tells already. */
  lie(lies: Lies): void {
    this.#lies = { ...this.#lies, ...lies };
  }

  /** Takes all lies back. */
  honest(): void {
    this.#lies = {};
  }

  /**
   * Says who signs in by one authorization request, in place of {@link LyingOp.subject}.
   *
   * @returns the redirect URI of the request
   */
  expect(request: Readonly<Record<string, string>>, visitor: OpVisitor): string | undefined {
    this.#expected.set(nameOf(request), visitor);
    const pushed = this.#pushed.get(request['request_uri'] ?? '');
    return (pushed ?? request)['redirect_uri'];
  }

  /** How many requests it has had for a path. */
  count(path: string, grantType?: string): number {
    return this.requests.filter(
      (request) =>
        request.path === path &&
        (grantType === undefined || request.parameters['grant_type'] === grantType),
    ).length;
  }

  /** @throws Error where there was none */
  lastRequest(path: string): OpRequest {
    const request = this.requests.findLast((candidate) => candidate.path === path);
    if (request === undefined) throw new Error(`the OP has had no request for ${path}`);
    return request;
  }

  /** Holds back answers of one path until they are released. */
  hold(path: string): { arrived: Promise<void>; release: () => void } {
    const gate = createGate();
    this.#held.set(path, gate);
    const release = (): void => {
      this.#held.delete(path);
      gate.open();
    };
    return { arrived: gate.reached, release };
  }

  /** Signs with a new key from now on, and publishes no other. */
  async rotateKeys(alg = 'ES256'): Promise<void> {
    this.#keys = [await makeKey(alg)];
  }

  /** Publishes a second key beside the one that signs. */
  async addKey(alg = 'ES256'): Promise<void> {
    this.#keys.push(await makeKey(alg));
  }

  /** Whether it has handed this out as a refresh token. */
  isRefreshToken(token: string): boolean {
    return this.#refreshTokens.has(token);
  }

  /** Whom an access token is of, while it is valid. */
  ownerOf(accessToken: string): string | undefined {
    const found = this.#valid.get(accessToken);
    return found !== undefined && this.#now() < found.expiresAt ? found.grant.subject : undefined;
  }

  /** Grants that were revoked: by a spent refresh token that came again, by a logout, by hand. */
  get revokedGrants(): number {
    const grants = new Set([...this.#refreshTokens.values()].map(({ grant }) => grant));
    return [...grants].filter(({ isRevoked }) => isRevoked).length;
  }

  /** A Logout Token, honest but for the lie. */
  logoutToken(lie: IdTokenLie = {}): Promise<string> {
    const now = Math.floor(this.#now() / 1000);
    const claims = {
      iss: this.issuer,
      aud: this.clientId,
      iat: now,
      exp: now + 120,
      jti: random(),
      sub: this.subject,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      ...lie.claims,
    };
    const typed = { ...lie, header: { typ: 'logout+jwt', ...lie.header } };
    return this.#make(claims, typed, 'idToken');
  }

  /** Ends every grant, as an administrator of the OP would. */
  revokeAll(): void {
    for (const { grant } of this.#refreshTokens.values()) grant.isRevoked = true;
  }

  /** Goes down: connections are refused. */
  async stop(): Promise<void> {
    await this.#listening?.close();
  }

  /** Comes up again, at the same address. */
  async resume(): Promise<void> {
    const { certificate } = this.#site;
    const port = this.#port.value;
    const listening = certificate
      ? await listenTls(certificate, port)
      : await listen(undefined, port);
    listening.server.on('request', (req: IncomingMessage, res: ServerResponse) => {
      this.#answer(req, res).catch((error: unknown) => {
        res.statusCode = 500;
        res.end(String(error));
      });
    });
    this.#listening = listening;
    this.#port.value = listening.port;
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? '/', this.issuer);
    let body = '';
    for await (const chunk of req) body += chunk;
    const parameters = Object.fromEntries(
      req.method === 'POST' ? new URLSearchParams(body) : url.searchParams,
    );
    const request = {
      method: req.method ?? '',
      path: url.pathname,
      parameters,
      headers: req.headers,
    };
    this.requests.push(request);
    await this.#held.get(url.pathname)?.wait();
    const refusal = this.#lies.refuses?.(request);
    if (refusal !== undefined) return send(res, {}, { status: 400, ...refusal });
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return send(res, this.#metadata(), this.#lies.discovery);
      case '/jwks':
        return send(res, { keys: this.#keys.map(({ jwk }) => jwk) }, this.#lies.jwks);
      case '/authorize':
        if (this.asksUser) return sendSignInPage(res, parameters);
        return this.#authorize(this.#requested(parameters), res);
      case '/par':
        return this.#push(request, res);
      case '/consent':
        return this.#authorize(this.#requested(parameters), res);
      case '/token':
        return this.#token(request, res);
      case '/userinfo':
        return this.#userinfo(request, res);
      case '/end_session':
        res.writeHead(303, {
          location: `${parameters['post_logout_redirect_uri']}?state=${parameters['state']}`,
        });
        res.end();
        return;
      case '/frame':
        // The page on which an OP asks applications to end their sessions.
        res.writeHead(200, { 'content-type': 'text/html' });
        res.end(`<!doctype html><iframe src="${parameters['uri']}"></iframe>`);
        return;
      case '/revoke': {
        const token = this.#refreshTokens.get(parameters['token'] ?? '');
        if (token !== undefined) token.grant.isRevoked = true;
        return send(res, {}, this.#lies.revocation);
      }
      default:
        res.writeHead(404).end();
    }
  }

  #metadata(): Record<string, unknown> {
    const { issuer } = this;
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      end_session_endpoint: `${issuer}/end_session`,
      revocation_endpoint: `${issuer}/revoke`,
      userinfo_endpoint: `${issuer}/userinfo`,
      pushed_authorization_request_endpoint: `${issuer}/par`,
      ...(this.#lies.requiresPushedRequests ? { require_pushed_authorization_requests: true } : {}),
      userinfo_signing_alg_values_supported: [this.#signingKey().alg],
      response_types_supported: ['code', 'code id_token', 'code token', 'code id_token token'],
      response_modes_supported: ['form_post', 'query', 'fragment']
        .flatMap((mode) => [mode, `${mode}.jwt`])
        .concat('jwt'),
      authorization_signing_alg_values_supported: [this.#signingKey().alg],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: [this.#signingKey().alg],
      token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    };
  }

  async #push(request: OpRequest, res: ServerResponse): Promise<void> {
    if (!this.#isClient(request)) return send(res, { error: 'invalid_client' }, { status: 401 });
    const request_uri = this.#note(`urn:ietf:params:oauth:request_uri:${random()}`);
    this.#pushed.set(request_uri, request.parameters);
    return send(res, { request_uri, expires_in: 60 }, { status: 201, ...this.#lies.pushedRequest });
  }

  /** The request itself, where one is brought that was pushed; good once. */
  #requested(parameters: Record<string, string>): Record<string, string> {
    const { request_uri = '' } = parameters;
    const pushed = this.#pushed.get(request_uri);
    this.#pushed.delete(request_uri);
    if (pushed === undefined && (request_uri || this.#lies.requiresPushedRequests)) {
      throw new Error('the OP knows no such pushed request');
    }
    return pushed === undefined ? parameters : { ...pushed, request_uri };
  }

  async #authorize(request: Record<string, string>, res: ServerResponse): Promise<void> {
    const redirectUri = request['redirect_uri'] ?? '';
    if (this.#lies.redirectUris && !this.#lies.redirectUris.includes(redirectUri)) {
      res.writeHead(400, { 'content-type': 'text/html' });
      res.end('<!doctype html><h1>invalid_request</h1><p>redirect_uri is not registered</p>');
      return;
    }
    const code = this.#note(random());
    const { sub, ...claims } = this.#expected.get(nameOf(request)) ?? { sub: this.subject };
    const authTime = Math.floor(this.#now() / 1000);
    const grant = { request, subject: sub, claims, authTime, isRevoked: false };
    this.#codes.set(code, grant);
    const types = (this.#lies.responseType ?? request['response_type'] ?? '').split(' ');
    const state = request['state'] ?? '';
    const parameters: [string, string][] = [
      ['code', code],
      ['state', state],
      ['iss', this.issuer],
    ];
    const accessToken = types.includes('token') ? this.#note(random()) : undefined;
    if (accessToken !== undefined) {
      this.accessTokens.front.push(accessToken);
      parameters.push(
        ['access_token', accessToken],
        ['token_type', 'Bearer'],
        ['expires_in', '3600'],
      );
    }
    if (types.includes('id_token')) {
      const { alg } = this.#signingKey();
      const hashes = {
        c_hash: tokenHash(code, alg),
        s_hash: tokenHash(state, alg),
        ...(accessToken === undefined ? {} : { at_hash: tokenHash(accessToken, alg) }),
      };
      parameters.push(['id_token', await this.#idToken(grant, hashes, this.#lies.frontIdToken)]);
    }
    const { mustAsk } = this.#lies;
    if (mustAsk !== undefined && !mustAsk.prompts.includes(request['prompt'] ?? '')) {
      parameters.splice(0, parameters.length, ['error', mustAsk.error]);
      parameters.push(['state', state], ['iss', this.issuer]);
    }
    const asked = this.#lies.responseMode ?? request['response_mode'] ?? 'query';
    const mode = asked === 'jwt' ? (types.length > 1 ? 'fragment.jwt' : 'query.jwt') : asked;
    const answer = this.#lies.response?.(parameters) ?? parameters;
    const [transport = '', jwt] = mode.split('.');
    const sent = jwt === undefined ? answer : await this.#responseJwt(answer);
    respond(res, request['redirect_uri'] ?? '', transport, sent);
  }

  async #responseJwt(
    parameters: [name: string, value: string][],
  ): Promise<[name: string, value: string][]> {
    const lie = this.#lies.responseJwt ?? {};
    const exp = Math.floor(this.#now() / 1000) + 120;
    const claims = { ...Object.fromEntries(parameters), iss: this.issuer, aud: this.clientId, exp };
    return [
      [
        'response',
        lie.raw ?? (await this.#make({ ...claims, ...lie.claims }, lie, 'authorization')),
      ],
    ];
  }

  async #token(request: OpRequest, res: ServerResponse): Promise<void> {
    const { parameters } = request;
    if (!this.#isClient(request)) return send(res, { error: 'invalid_client' }, { status: 401 });
    if (parameters['grant_type'] === 'refresh_token') return this.#refresh(parameters, res);
    if (parameters['grant_type'] === tokenExchange) return this.#exchange(parameters, res);
    const code = parameters['code'] ?? '';
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(parameters['code_verifier'] ?? '')
      .digest('base64url');
    if (
      grant === undefined ||
      grant.request['redirect_uri'] !== parameters['redirect_uri'] ||
      (grant.request['code_challenge'] !== challenge && !this.#lies.ignoresPkce)
    ) {
      return send(res, { error: 'invalid_grant' }, { status: 400 });
    }
    return send(
      res,
      await this.#tokens(grant, parameters, this.#lies.backIdToken, code),
      this.#lies.token,
    );
  }

  async #userinfo({ headers }: OpRequest, res: ServerResponse): Promise<void> {
    const sub = this.ownerOf(headers.authorization?.replace(/^Bearer /, '') ?? '');
    if (sub === undefined) {
      const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' };
      return send(res, {}, { status: 401, headers: challenge });
    }
    const claims = { sub, ...this.userinfo };
    const lie = this.#lies.signedUserinfo;
    if (lie === undefined) return send(res, claims, this.#lies.userinfo);
    const addressed = { iss: this.issuer, aud: this.clientId, ...claims, ...lie.claims };
    const body = lie.raw ?? (await this.#make(addressed, lie, 'userinfo'));
    const jwt = { headers: { 'content-type': 'application/jwt' }, body };
    return send(res, {}, { ...jwt, ...this.#lies.userinfo });
  }

  /** RFC 8693: another token for a valid one, of the same user. */
  async #exchange(parameters: Record<string, string>, res: ServerResponse): Promise<void> {
    const subject = this.#valid.get(parameters['subject_token'] ?? '');
    if (subject === undefined || this.#now() >= subject.expiresAt) {
      return send(res, { error: 'invalid_request' }, { status: 400 });
    }
    const accessToken = this.#note(random());
    this.targets.set(accessToken, pickTarget(parameters));
    const expiresIn = 86_400;
    this.#valid.set(accessToken, { ...subject, expiresAt: this.#now() + expiresIn * 1000 });
    const answer = {
      access_token: accessToken,
      issued_token_type: parameters['requested_token_type'],
      token_type: 'Bearer',
      expires_in: expiresIn,
      refresh_token: this.#note(random()),
    };
    return send(res, answer, this.#lies.exchange);
  }

  async #refresh(parameters: Record<string, string>, res: ServerResponse): Promise<void> {
    const token = this.#refreshTokens.get(parameters['refresh_token'] ?? '');
    if (token?.isSpent) this.refreshes.reused += 1;
    const outage = this.#lies.refreshOutage?.(token?.grant.subject ?? '');
    if (outage !== undefined) return send(res, {}, outage);
    if (this.#lies.refresh?.status !== undefined) return send(res, {}, this.#lies.refresh);
    if (token?.isSpent) token.grant.isRevoked = true;
    if (token === undefined || token.grant.isRevoked) {
      return send(res, { error: 'invalid_grant' }, { status: 400 });
    }
    token.isSpent = true;
    this.refreshes.granted += 1;
    const lie = { ...this.#lies.refreshedIdToken };
    lie.claims = { nonce: undefined, ...lie.claims };
    return send(res, await this.#tokens(token.grant, parameters, lie), this.#lies.refresh);
  }

  async #tokens(
    grant: Grant,
    parameters: Record<string, string>,
    lie?: IdTokenLie,
    code?: string,
  ): Promise<Record<string, unknown>> {
    const accessToken = this.#note(random());
    this.accessTokens.back.push(accessToken);
    this.targets.set(accessToken, pickTarget(parameters));
    const expiresIn = 'expiresIn' in this.#lies ? this.#lies.expiresIn : 3600;
    const expiresAt = this.#now() + (expiresIn ?? Number.POSITIVE_INFINITY) * 1000;
    this.#valid.set(accessToken, { grant, expiresAt });
    const refreshToken = this.#note(random());
    this.#refreshTokens.set(refreshToken, { grant, isSpent: false });
    const { alg } = this.#signingKey();
    const hashes = {
      at_hash: tokenHash(accessToken, alg),
      ...(code === undefined ? {} : { c_hash: tokenHash(code, alg) }),
    };
    return {
      access_token: accessToken,
      token_type: 'Bearer',
      ...(expiresIn === undefined ? {} : { expires_in: expiresIn }),
      refresh_token: refreshToken,
      ...grantedDetails(
        parameters['authorization_details'] ?? grant.request['authorization_details'],
      ),
      id_token: await this.#idToken(grant, hashes, lie),
    };
  }

  async #idToken(grant: Grant, hashes: object, lie: IdTokenLie = {}): Promise<string> {
    if (lie.raw !== undefined) return lie.raw;
    const now = Math.floor(this.#now() / 1000);
    const { nonce, max_age, acr_values, organization } = grant.request;
    const claims = {
      iss: this.issuer,
      sub: grant.subject,
      aud: this.clientId,
      exp: now + 300,
      iat: now,
      nonce,
      ...(max_age === undefined ? {} : { auth_time: grant.authTime }),
      ...(acr_values === undefined ? {} : { acr: acr_values.split(' ')[0] }),
      ...(organization === undefined ? {} : { org_id: organization }),
      ...hashes,
      ...this.claims,
      ...grant.claims,
      ...lie.claims,
    };
    return this.#note(await this.#make(claims, lie, 'idToken'));
  }

  #signingKey(): SigningKey {
    const [key] = this.#keys;
    if (key === undefined) throw new Error('the OP has no key');
    return key;
  }

  /** Signed, and encrypted where that is registered. */
  async #make(
    claims: object,
    lie: IdTokenLie,
    kind: 'idToken' | 'userinfo' | 'authorization',
  ): Promise<string> {
    const jws = await this.#sign(claims, lie);
    const encryption = lie.encrypted ?? this.encrypts[kind] ?? 'not';
    const token = encryption === 'not' ? jws : await encrypt(jws, encryption);
    return lie.tampered?.(token) ?? token;
  }

  async #sign(claims: object, lie: IdTokenLie): Promise<string> {
    const key = this.#signingKey();
    const header = { alg: key.alg, kid: String(key.jwk.kid), ...lie.header };
    switch (lie.signedWith) {
      case 'none':
        return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`;
      case 'client_secret':
        return hs256(header, claims, this.clientSecret);
      case 'public_key':
        return hs256(header, claims, await exportSPKI(key.publicKey));
      case 'foreign_key':
      case 'embedded_key': {
        const { privateKey, jwk } = await makeKey(key.alg);
        const brought = lie.signedWith === 'embedded_key' ? { jwk } : {};
        return new SignJWT({ ...claims })
          .setProtectedHeader({ ...header, ...brought })
          .sign(privateKey);
      }
      default:
        return new SignJWT({ ...claims }).setProtectedHeader(header).sign(key.privateKey);
    }
  }

  #isClient({ headers, parameters }: OpRequest): boolean {
    const [scheme, credentials = ''] = (headers.authorization ?? '').split(' ');
    if (scheme === 'Basic') {
      const text = Buffer.from(credentials, 'base64').toString();
      const [id, secret] = text.split(':').map((part) => new URLSearchParams(`v=${part}`).get('v'));
      return id === this.clientId && secret === this.clientSecret;
    }
    return (
      parameters['client_id'] === this.clientId && parameters['client_secret'] === this.clientSecret
    );
  }

  #note(secret: string): string {
    this.handedOut.push(secret);
    return secret;
  }
}

/** What tells an authorization request from others, however its parameters are sent. */
function nameOf({ request_uri, request, state }: Readonly<Record<string, string>>): string {
  return request_uri ?? request ?? state ?? '';
}

/** Everything that was asked for is granted. */
function grantedDetails(asked: string | undefined): { authorization_details?: unknown } {
  return asked === undefined ? {} : { authorization_details: JSON.parse(asked) };
}

function pickTarget(parameters: Record<string, string>): Record<string, string> {
  const names = ['resource', 'audience', 'scope'];
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => names.includes(name)));
}

/** By hand, as no library signs with a key that is too short or meant for something else. */
function hs256(header: object, claims: object, key: string): string {
  const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

async function encrypt(jws: string, { key, alg, enc, kid }: Encryption): Promise<string> {
  const jwe = new CompactEncrypt(Buffer.from(jws));
  jwe.setProtectedHeader({ alg, enc, cty: 'JWT', ...(kid === undefined ? {} : { kid }) });
  return jwe.encrypt(key);
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

async function send(
  res: ServerResponse,
  json: Record<string, unknown>,
  lie: AnswerLie = {},
): Promise<void> {
  if (lie.delaySeconds !== undefined) await delay(lie.delaySeconds * 1000);
  if (lie.answer !== undefined) {
    lie.answer(res);
    return;
  }
  res.writeHead(lie.status ?? 200, { 'content-type': 'application/json', ...lie.headers });
  res.end(lie.body ?? JSON.stringify(lie.json?.(json) ?? json));
}
