import { afterEach, describe, expect, it } from '@jest/globals';
import { examine, type Patient } from '../../lib/doctor/examine.ts';
import { type CertifiedOp, startCertifiedOp } from '../support/certified-op.ts';

let op: CertifiedOp;
afterEach(() => op.close());

const baseUrl = 'http://localhost:3000';

async function examineAt(changed: Partial<Patient>): Promise<[about: string, found: string][]> {
  op = await startCertifiedOp({
    redirectUris: [`${baseUrl}/callback`],
    postLogoutRedirectUris: [`${baseUrl}/logout/callback`],
  });
  const { issuer, clientId, clientSecret, fetch } = op;
  const findings = await examine({ issuer, clientId, clientSecret, baseUrl, fetch, ...changed });
  return findings
    .filter(({ verdict }) => verdict === 'fail')
    .map(({ about, found }) => [about, found]);
}

describe('doctor, at a certified OP', () => {
  it('finds nothing to change', async () => {
    expect(await examineAt({})).toEqual([]);
  });

  it('finds a redirect URI that is not registered', async () => {
    const found = `the OP does not take ${baseUrl}/elsewhere for this client`;
    expect(await examineAt({ callbackPath: '/elsewhere' })).toEqual([['redirect URI', found]]);
  });

  it('finds a client that is not known, by its credentials too', async () => {
    expect(await examineAt({ clientId: 'somebody' })).toEqual([
      ['client', 'the OP does not know the client somebody'],
      ['client', 'the OP refuses its credentials'],
    ]);
  });

  it('finds a secret that is wrong', async () => {
    const wrong = { clientSecret: 'wrong' };
    expect(await examineAt(wrong)).toEqual([['client', 'the OP refuses its credentials']]);
  });
});
