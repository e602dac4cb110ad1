import { it } from '@jest/globals';
import { runProgram } from '../support/child-process.ts';
import { json } from '../support/flow.ts';
import { withLogin } from './with-login.ts';

it('starts a program that prints the access token', () =>
  withLogin(async (_flow, arrival) => {
    const token = String(json(arrival)['authorization']).slice('Bearer '.length);
    await runProgram(process.execPath, ['-e', 'console.error(process.argv[1])', token]);
  }));
