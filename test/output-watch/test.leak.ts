import { it } from '@jest/globals';
import { json } from '../support/flow.ts';
import { withLogin } from './with-login.ts';

it('prints its access token', () =>
  withLogin(async (_flow, arrival) => {
    process.stderr.write(`${json(arrival)['authorization']}\n`);
  }));
