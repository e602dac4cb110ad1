import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json, startFlow } from '../../support/flow.ts';
import { type Listening, listen } from '../../support/listen.ts';

let flow: Flow;
let api: Listening;
let evil: Listening;
let seen: (string | undefined)[];
afterEach(async () => {
  await Promise.all([flow.close(), api.close(), evil.close()]);
});

/** An API, and a route that calls it; `target` is where the API leads to. */
async function start(target: (ports: { api: number; evil: number }) => string): Promise<void> {
  seen = [];
  evil = await listen((req, res) => {
    seen.push(req.headers.authorization);
    res.end('here');
  });
  api = await listen((req, res) => {
    if (req.url === '/end') {
      seen.push(req.headers.authorization);
      res.end('here');
    } else {
      res.writeHead(307, { location: target({ api: api.port, evil: evil.port }) }).end();
    }
  });
  flow = await startFlow({
    routes: (app, oidc) => {
      app.get('/call', oidc.requireAuth(), async (req, res) => {
        const answer = await req.oidc?.fetch(`http://127.0.0.1:${api.port}/begin`);
        res.json({ text: await answer?.text() });
      });
    },
  });
  await flow.signIn();
}

describe('RFC 9700 4.9.1 an API that leads to another host', () => {
  it('within its own origin, goes on with the token', async () => {
    await start((ports) => `http://127.0.0.1:${ports.api}/end`);
    expect(json(await flow.browser.fetch(`${flow.baseUrl}/call`))).toEqual({ text: 'here' });
    expect(seen).toEqual([`Bearer ${flow.op.accessTokens.back[0]}`]);
  });

  it.each([
    ['another port', (port: number) => `http://127.0.0.1:${port}/end`],
    ['another host', (port: number) => `http://localhost:${port}/end`],
  ])('does not get the token sent there: %s', async (_where, url) => {
    await start((ports) => url(ports.evil));
    expect(json(await flow.browser.fetch(`${flow.baseUrl}/call`))).toEqual({ text: 'here' });
    expect(seen).toEqual([undefined]);
  });
});
