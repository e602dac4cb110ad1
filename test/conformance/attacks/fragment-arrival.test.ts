import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('an answer in the fragment, where another mode was asked for', () => {
  it.each(['code', 'code id_token', 'code token', 'code id_token token'] as const)(
    'to "%s" signs nobody in, and is told for what it is',
    async (responseType) => {
      flow = await startFlow({ oidc: { responseType } });
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      await flow.browser.navigate(`${flow.baseUrl}/logout`);
      flow.op.lie({ responseMode: 'fragment' });
      const arrival = await flow.signIn();
      // Where a fragment may come, our own page brings it; no server sees any other.
      const code = responseType === 'code' ? 'RESPONSE_EMPTY' : 'RESPONSE_MODE';
      expect([arrival.status, errorCode(arrival)]).toEqual([400, `ERR_OIDC_${code}`]);
      expect(flow.op.count('/token')).toBe(1);
      expect(arrival.text).toContain('Sign in again');
      expect(await flow.storeKeys()).toEqual([]);
    },
  );
});
