import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';

let flow: Flow;
afterEach(() => flow.close());

describe('oidcc-client-test-form-post-error', () => {
  it.each(['code', 'code id_token', 'code token', 'code id_token token'] as const)(
    'an error that is posted in answer to "%s" is shown as a page, and signs nobody in',
    async (responseType) => {
      flow = await startFlow({
        oidc: {
          responseType,
          responseMode: 'form_post',
          maxAge: 0,
          authorizationParams: { prompt: 'none' },
        },
      });
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      await flow.browser.navigate(`${flow.baseUrl}/logout`);
      flow.op.lie({
        response: (parameters) => [
          ...parameters.filter(([name]) => name === 'state'),
          ['error', 'login_required'],
          ['error_description', '<b>Error response</b> using form_post'],
        ],
      });
      const arrival = await flow.signIn();
      const asked = flow.op.requests.filter(({ path }) => path === '/authorize').slice(-2);
      // The OP may ask at the second try, and says the same.
      expect(asked.map(({ parameters }) => parameters)).toMatchObject([
        { response_mode: 'form_post', max_age: '0', prompt: 'none' },
        { response_mode: 'form_post', max_age: '0', prompt: 'login' },
      ]);
      expect(arrival.history.map(({ method }) => method)).toContain('POST');
      expect([arrival.status, errorCode(arrival)]).toEqual([403, 'ERR_OIDC_OP_ERROR']);
      expect(arrival.headers['content-type']).toMatch(/^text\/html/);
      expect(arrival.text).toContain('href="/login?return_to=%2Fprivate"');
      expect(arrival.text).not.toContain('Error response');
      expect(await flow.storeKeys()).toEqual([]);
    },
  );
});
