import { it } from '@jest/globals';
import { runProgram } from '../support/child-process.ts';
import { withLogin } from './with-login.ts';

it("starts a program that prints the visitor's cookie", () =>
  withLogin(async (flow) => {
    const cookie = await flow.browser.jar.getCookieString(flow.baseUrl);
    await runProgram(process.execPath, ['-e', 'console.log(process.argv[1])', cookie]);
  }));
