// A hybrid login by hand on node:http: one signature check, one token call, the session writes, and
// nothing else. No PKCE, no second ID Token, no clean URLs, no errors: a floor, and no example.
import { createHmac, createPublicKey, randomBytes, verify } from 'node:crypto';
import { Agent, request } from 'node:http';
import { client, landingPath, openStore, scope, sessionSecret } from './web.js';

export async function start({ issuer, baseUrl, ...setting }) {
  const { store } = await openStore(setting);
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const { keys } = await (await fetch(metadata.jwks_uri)).json();
  const publicKeys = new Map(
    keys.map((jwk) => [jwk.kid, createPublicKey({ key: jwk, format: 'jwk' })]),
  );
  const agent = new Agent({ keepAlive: true });
  const redirectUri = `${baseUrl}/callback`;
  const credentials = Buffer.from(`${client.id}:${client.secret}`).toString('base64');
  const cookie = { originalMaxAge: 86_400_000, httpOnly: true, path: '/' };

  const settle = (operation) =>
    new Promise((resolve, reject) => {
      operation((error, value) => (error ? reject(error) : resolve(value)));
    });

  const sign = (id) => createHmac('sha256', sessionSecret).update(id).digest('base64url');

  const save = async (res, data) => {
    const id = randomBytes(24).toString('base64url');
    const expires = new Date(Date.now() + 86_400_000).toISOString();
    await settle((done) => store.set(id, { cookie: { ...cookie, expires }, ...data }, done));
    res.setHeader('Set-Cookie', `sid=${id}.${sign(id)}; Path=/; HttpOnly; SameSite=None`);
  };

  const begin = async (res) => {
    const state = randomBytes(32).toString('base64url');
    const nonce = randomBytes(32).toString('base64url');
    await save(res, { state, nonce });
    const parameters = new URLSearchParams({
      client_id: client.id,
      response_type: 'code id_token',
      response_mode: 'form_post',
      redirect_uri: redirectUri,
      scope,
      state,
      nonce,
    });
    res.writeHead(303, { location: `${metadata.authorization_endpoint}?${parameters}` }).end();
  };

  const complete = async (req, res) => {
    const [id, signature] = /sid=([^;]+)/.exec(req.headers.cookie)[1].split('.');
    if (sign(id) !== signature) throw new Error('cookie');
    const parameters = new URLSearchParams(await readText(req));
    const { state, nonce } = await settle((done) => store.get(id, done));
    if (parameters.get('state') !== state) throw new Error('state');
    const claims = verifiedClaims(parameters.get('id_token'), publicKeys);
    if (claims.nonce !== nonce || claims.iss !== issuer || claims.aud !== client.id) {
      throw new Error('claims');
    }
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: parameters.get('code'),
      redirect_uri: redirectUri,
    }).toString();
    const tokens = JSON.parse(await post(metadata.token_endpoint, body, { agent, credentials }));
    await settle((done) => store.destroy(id, done));
    await save(res, { user: { sub: claims.sub }, tokens });
    res.writeHead(303, { location: landingPath }).end();
  };

  const listener = (req, res) => {
    const answered = req.method === 'POST' ? complete(req, res) : begin(res);
    answered.catch((error) => res.writeHead(500).end(String(error)));
  };
  return { listener };
}

function verifiedClaims(idToken, publicKeys) {
  const [header, payload, signature] = idToken.split('.');
  const { kid } = JSON.parse(Buffer.from(header, 'base64url'));
  const input = Buffer.from(`${header}.${payload}`);
  if (!verify('sha256', input, publicKeys.get(kid), Buffer.from(signature, 'base64url'))) {
    throw new Error('signature');
  }
  return JSON.parse(Buffer.from(payload, 'base64url'));
}

export function post(url, body, { agent, credentials }) {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Basic ${credentials}`,
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': body.length,
    };
    request(url, { method: 'POST', agent, headers }, (res) => resolve(readText(res)))
      .on('error', reject)
      .end(body);
  });
}

export async function readText(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
