import { it } from '@jest/globals';
import { runProgram } from '../support/child-process.ts';

it('starts a program that prints a secret of its environment', async () => {
  const env = { CLIENT_SECRET: 'of one client' };
  await runProgram(process.execPath, ['-p', 'process.env.CLIENT_SECRET'], { env });
});
