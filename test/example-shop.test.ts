import type { IncomingMessage, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { clientOf, type FakeOp, fakeOp, signInAs } from 'passport-oidc-hybrid/testing';
import request from 'supertest';
import { openSessions } from '../example-app/sessions.ts';
import { readSettings } from '../example-app/settings.ts';
import { createSignIn } from '../example-app/sign-in.ts';
import { createSite } from '../example-app/site.ts';
import { type Listening, listen } from './support/listen.ts';

/** The shop of the example as its own tests would have it: by `passport-oidc-hybrid/testing`. */
let op: FakeOp;
let api: Listening;
let shop: ReturnType<typeof request.agent>;

beforeEach(async () => {
  op = await fakeOp();
  // Takes whatever token the OP stands by, and tells whose it is.
  api = await listen((req: IncomingMessage, res: ServerResponse) => {
    const sub = op.ownerOf((req.headers.authorization ?? '').replace('Bearer ', ''));
    res.writeHead(sub === undefined ? 401 : 200, { 'content-type': 'application/json' });
    res.end(JSON.stringify({ id: '7', of: sub, cookie: req.headers.cookie ?? null, orders: [] }));
  });
  const { issuer, clientId, clientSecret, secret } = clientOf(op);
  const settings = readSettings({
    ISSUER: issuer,
    CLIENT_ID: clientId,
    CLIENT_SECRET: clientSecret,
    OIDC_SECRET: secret,
    API_URL: `http://127.0.0.1:${api.port}`,
  });
  const { middleware, lock } = await openSessions(settings);
  const site = createSite(settings, createSignIn(settings, lock), middleware);
  site.set('views', fileURLToPath(new URL('../example-app/views', import.meta.url)));
  shop = request.agent(site);
});
afterEach(async () => {
  await api.close();
  await op.stop();
});

describe('the shop, by passport-oidc-hybrid/testing', () => {
  it('shows the profile of whoever is signed in', async () => {
    await signInAs(shop, { sub: 'grace', name: 'Grace <b>Hopper</b>' });
    const { text } = await shop.get('/profile').expect(200);
    expect(text).toContain('Grace &lt;b&gt;Hopper');
  });

  it('calls the API in the name of the visitor, and keeps cookies to itself', async () => {
    await shop.get('/api/orders').expect(401);
    await signInAs(shop, 'grace');
    const { body } = await shop.get('/api/orders').expect(200);
    expect(body).toMatchObject({ of: 'grace', cookie: null });
  });

  it('places an order with the cart that was filled before the login', async () => {
    const origin = 'http://localhost:3000';
    const form = shop.post('/cart').set('Origin', origin).type('form');
    await form.send({ letter: 'K', by: '1' }).expect(303);
    await signInAs(shop, 'grace');
    const placed = await shop.post('/checkout').set('Origin', origin).expect(303);
    expect(placed.headers['location']).toBe('/orders?placed=7');
  });

  it('shows a page of its own where the OP lies, and nobody is signed in', async () => {
    const log = jest.spyOn(console, 'error').mockImplementation(() => {});
    op.lie({ frontIdToken: { signedWith: 'foreign_key' } });
    await expect(signInAs(shop)).rejects.toThrow('ERR_OIDC_ID_TOKEN_SIGNATURE');
    expect(log).toHaveBeenCalledTimes(1);
    log.mockRestore();
    await shop.get('/api/orders').expect(401);
  });
});
