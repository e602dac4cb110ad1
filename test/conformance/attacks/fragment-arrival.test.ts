import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('an answer in the fragment alone', () => {
  it.each(['code', 'code id_token', 'code token', 'code id_token token'] as const)(
    'to "%s" is told for what it is, and signs nobody in',
    async (responseType) => {
      flow = await startFlow({ oidc: { responseType } });
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      await flow.browser.navigate(`${flow.baseUrl}/logout`);
      flow.op.lie({ responseMode: 'fragment' });
      const arrival = await flow.signIn();
      expect([arrival.status, errorCode(arrival)]).toEqual([400, 'ERR_OIDC_RESPONSE_EMPTY']);
      expect(arrival.text).toContain('Sign in again');
      expect(await flow.storeKeys()).toEqual([]);
    },
  );
});
