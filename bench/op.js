// The OP of all applications: signs everybody in at once, rotates refresh tokens, and revokes a grant
// whose spent refresh token comes again, without leeway.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

const alg = 'RS256';
const kid = randomBytes(8).toString('base64url');
const { privateKey, publicKey } = await generateKeyPair(alg);
const keys = [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }];

/** @type {Map<string, object>} */
const codes = new Map();
/** @type {Map<string, { grant: object, isSpent: boolean }>} */
const refreshTokens = new Map();
const counts = { logins: 0, refreshes: 0, reused: 0 };
const settings = { expiresIn: 3600, refreshMilliseconds: 0 };
let subjects = 0;

const server = createServer((req, res) => {
  answer(req, res).catch((error) => {
    process.stderr.write(`OP: ${error.stack}\n`);
    res.writeHead(500).end();
  });
});
server.keepAliveTimeout = 60_000;
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const metadata = {
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  userinfo_endpoint: `${issuer}/userinfo`,
  jwks_uri: `${issuer}/jwks`,
  end_session_endpoint: `${issuer}/end_session`,
  revocation_endpoint: `${issuer}/revoke`,
  response_types_supported: ['code', 'code id_token', 'code token', 'code id_token token'],
  response_modes_supported: ['form_post', 'query'],
  subject_types_supported: ['public'],
  id_token_signing_alg_values_supported: [alg],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
};

process.on('message', ({ id, method, value }) => {
  if (method === 'set') Object.assign(settings, value);
  const answered = { ...counts };
  if (method === 'reset') for (const name of Object.keys(counts)) counts[name] = 0;
  process.send({ id, value: answered });
});
process.on('disconnect', () => process.exit());
process.send({ ready: { issuer } });

async function answer(req, res) {
  const url = new URL(req.url, issuer);
  let body = '';
  for await (const chunk of req) body += chunk;
  const parameters = Object.fromEntries(
    req.method === 'POST' ? new URLSearchParams(body) : url.searchParams,
  );
  switch (url.pathname) {
    case '/.well-known/openid-configuration':
      return send(res, 200, metadata);
    case '/jwks':
      return send(res, 200, { keys });
    case '/authorize':
      return authorize(parameters, res);
    case '/token':
      return parameters.grant_type === 'refresh_token'
        ? refresh(parameters, res)
        : exchange(parameters, res);
    case '/userinfo':
      return send(res, 200, { sub: 'a user', name: 'Ada Lovelace', email: 'ada@op.example' });
    case '/end_session':
      res.writeHead(303, {
        location: `${parameters.post_logout_redirect_uri}?state=${parameters.state ?? ''}`,
      });
      return res.end();
    default:
      return send(res, 200, {});
  }
}

async function authorize(request, res) {
  subjects += 1;
  const code = random();
  const grant = {
    request,
    sub: `user-${String(subjects).padStart(9, '0')}`,
    authTime: Math.floor(Date.now() / 1000),
    isRevoked: false,
  };
  codes.set(code, grant);
  const answer = [
    ['code', code],
    ...(request.state === undefined ? [] : [['state', request.state]]),
    ['iss', issuer],
  ];
  if (request.response_type.includes('id_token')) {
    const hashes = {
      c_hash: hash(code),
      ...(request.state === undefined ? {} : { s_hash: hash(request.state) }),
    };
    answer.push(['id_token', await idToken(grant, hashes)]);
  }
  if (request.response_mode !== 'form_post') {
    res.writeHead(303, { location: `${request.redirect_uri}?${new URLSearchParams(answer)}` });
    return res.end();
  }
  const inputs = answer.map(([name, value]) => `<input name="${name}" value="${value}">`);
  res.writeHead(200, { 'content-type': 'text/html' });
  res.end(`<form method="post" action="${request.redirect_uri}">${inputs.join('')}</form>`);
}

async function exchange({ code, redirect_uri, code_verifier = '' }, res) {
  const grant = codes.get(code);
  codes.delete(code);
  const challenge = grant?.request.code_challenge;
  const isVerified =
    challenge === undefined || challenge === sha256(code_verifier).toString('base64url');
  if (grant === undefined || grant.request.redirect_uri !== redirect_uri || !isVerified) {
    return send(res, 400, { error: 'invalid_grant' });
  }
  counts.logins += 1;
  return send(res, 200, await tokens(grant));
}

async function refresh({ refresh_token }, res) {
  const found = refreshTokens.get(refresh_token);
  if (found?.isSpent) {
    counts.reused += 1;
    found.grant.isRevoked = true;
  }
  const isGood = found !== undefined && !found.grant.isRevoked;
  if (isGood) {
    found.isSpent = true;
    counts.refreshes += 1;
  }
  await new Promise((resolve) => setTimeout(resolve, settings.refreshMilliseconds));
  if (!isGood) return send(res, 400, { error: 'invalid_grant' });
  return send(res, 200, await tokens(found.grant));
}

async function tokens(grant) {
  const access_token = random();
  const refresh_token = random();
  refreshTokens.set(refresh_token, { grant, isSpent: false });
  return {
    access_token,
    token_type: 'Bearer',
    expires_in: settings.expiresIn,
    refresh_token,
    scope: grant.request.scope,
    id_token: await idToken(grant, { at_hash: hash(access_token) }),
  };
}

function idToken({ request, sub, authTime }, hashes) {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({
    iss: issuer,
    sub,
    aud: request.client_id,
    exp: now + 36_000,
    iat: now,
    auth_time: authTime,
    nonce: request.nonce,
    name: 'Ada Lovelace',
    email: 'ada@op.example',
    ...hashes,
  })
    .setProtectedHeader({ alg, kid })
    .sign(privateKey);
}

function send(res, status, body) {
  const text = JSON.stringify(body);
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  res.end(text);
}

function random() {
  return randomBytes(32).toString('base64url');
}

function sha256(text) {
  return createHash('sha256').update(text).digest();
}

function hash(text) {
  return sha256(text).subarray(0, 16).toString('base64url');
}
