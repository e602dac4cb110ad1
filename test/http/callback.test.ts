import { afterEach, describe, expect, it } from '@jest/globals';
import { type Flow, json, startFlow } from '../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

const responseTypes = ['code', 'code id_token', 'code token', 'code id_token token'] as const;

describe('a login', () => {
  it.each(responseTypes)(
    'by "%s" and form_post ends signed in, on the page asked for',
    async (responseType) => {
      flow = await startFlow({ oidc: { responseType, responseMode: 'form_post' } });
      const arrival = await flow.signIn();
      expect(arrival).toMatchObject({ status: 200, url: `${flow.baseUrl}/private` });
      const [accessToken] = flow.op.accessTokens.back;
      expect(json(arrival)).toMatchObject({ sub: 'ada', authorization: `Bearer ${accessToken}` });
      expect(flow.errors).toEqual([]);
    },
  );
});
