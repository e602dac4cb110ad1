// What Express and express-session take of a login in three requests, as this library needs them, with no check at
// all: no signature, no state, no nonce, no seal. No login on Express with these three requests can be cheaper.
import { Agent } from 'node:http';
import { post, readText } from './minimum.js';
import { client, createApp, landingPath, openStore, scope, sessions } from './web.js';

export async function start({ issuer, baseUrl, ...setting }) {
  const { store } = await openStore(setting);
  const metadata = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
  const agent = new Agent({ keepAlive: true });
  const redirectUri = `${baseUrl}/callback`;
  const credentials = Buffer.from(`${client.id}:${client.secret}`).toString('base64');

  const app = createApp();
  app.use(sessions(store));
  app.get('/login', (_req, res) => {
    const parameters = new URLSearchParams({
      client_id: client.id,
      response_type: 'code id_token',
      response_mode: 'form_post',
      redirect_uri: redirectUri,
      scope,
      state: 'a state',
      nonce: 'a nonce',
    });
    res.redirect(303, `${metadata.authorization_endpoint}?${parameters}`);
  });
  app.post('/callback', async (req, res) => {
    const code = new URLSearchParams(await readText(req)).get('code');
    res.redirect(303, `/callback?${new URLSearchParams({ code })}`);
  });
  app.get('/callback', async (req, res) => {
    const body = new URLSearchParams({
      grant_type: 'authorization_code',
      code: req.query.code,
      redirect_uri: redirectUri,
    }).toString();
    const tokens = JSON.parse(await post(metadata.token_endpoint, body, { agent, credentials }));
    req.session.user = { sub: 'user-000000001' };
    req.session.tokens = tokens;
    res.redirect(303, landingPath);
  });
  return { listener: app };
}
