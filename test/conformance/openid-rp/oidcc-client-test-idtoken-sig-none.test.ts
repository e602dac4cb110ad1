import { afterEach, describe, expect, it } from '@jest/globals';
import { errorCode, type Flow, startFlow } from '../../support/flow.ts';
import { describeRefusals } from '../../support/refusals.ts';

describe('oidcc-client-test-idtoken-sig-none', () => {
  describe('Core 3.1.3.7 (6 to 8)', () => {
    describeRefusals([
      ['alg none', { signedWith: 'none' }, 'ID_TOKEN_ALG'],
      [
        'no signature behind a proper alg',
        { raw: `${header('ES256')}.e30.` },
        'ID_TOKEN_SIGNATURE',
      ],
      ['alg none in another case', { raw: `${header('nOnE')}.e30.` }, 'ID_TOKEN_ALG'],
      ['no alg', { raw: `${header(undefined)}.e30.` }, 'ID_TOKEN_MALFORMED'],
    ]);
  });

  describe('at an OP that offers none', () => {
    let flow: Flow;
    afterEach(() => flow.close());

    // Core 3.1.3.7 would allow it for "code", where TLS stands in. Both channels have one rule here.
    it.each(['code', 'code id_token'] as const)('"%s" signs nobody in', async (responseType) => {
      flow = await startFlow({ oidc: { responseType } });
      flow.op.lie({
        discovery: {
          json: (body) => ({ ...body, id_token_signing_alg_values_supported: ['none', 'ES256'] }),
        },
      });
      expect(await flow.signIn()).toMatchObject({ status: 200 });
      await flow.browser.navigate(`${flow.baseUrl}/logout`);
      flow.op.lie({ frontIdToken: { signedWith: 'none' }, backIdToken: { signedWith: 'none' } });
      expect(errorCode(await flow.signIn())).toBe('ERR_OIDC_ID_TOKEN_ALG');
      expect(await flow.storeKeys()).toEqual([]);
    });
  });
});

function header(alg: string | undefined): string {
  return Buffer.from(JSON.stringify({ alg })).toString('base64url');
}
