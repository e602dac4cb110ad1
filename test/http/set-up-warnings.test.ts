import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { MemoryStore } from 'express-session';
import { inProcessLock } from 'passport-oidc-hybrid';
import { type Flow, startFlow } from '../support/flow.ts';

let flow: Flow;
const emitWarning = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
afterEach(async () => {
  emitWarning.mockClear();
  await flow.close();
});

class SharedStore extends MemoryStore {}

describe('a store that processes can share', () => {
  it('without a lock is warned of, once, with the line to add', async () => {
    flow = await startFlow({ store: new SharedStore(), oidc: { lock: undefined } });
    await flow.signIn();
    await flow.browser.navigate(flow.baseUrl);
    expect(emitWarning.mock.calls).toEqual([
      [
        expect.stringContaining('lock: redisLock(client)'),
        { type: 'OidcWarning', code: 'OIDC_NO_SHARED_LOCK' },
      ],
    ]);
  });

  it.each([
    ['with a lock', new SharedStore(), inProcessLock()],
    ['in memory', new MemoryStore(), undefined],
  ])('%s is not', async (_name, store, lock) => {
    flow = await startFlow({ store, oidc: { lock } });
    await flow.signIn();
    expect(emitWarning).not.toHaveBeenCalled();
  });
});

describe('a session cookie without Secure, where baseUrl is https', () => {
  it('is warned of, once', async () => {
    flow = await startFlow({ oidc: { baseUrl: 'https://app.example' } });
    const url = flow.baseUrl;
    await flow.browser.fetch(`${url}/api/x`);
    await flow.browser.fetch(`${url}/api/x`);
    expect(emitWarning.mock.calls).toEqual([
      [
        expect.stringContaining('trust proxy'),
        { type: 'OidcWarning', code: 'OIDC_INSECURE_COOKIE' },
      ],
    ]);
  });
});
