import { it } from '@jest/globals';
import { runProgram } from '../support/child-process.ts';
import { withLogin } from './with-login.ts';

it('prints nothing that is secret', () =>
  withLogin(async (flow) => {
    await runProgram(process.execPath, ['-p', '"hello"', flow.baseUrl]);
  }));
