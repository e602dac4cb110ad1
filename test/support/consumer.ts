import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Browser } from './browser.ts';
import { startProgram } from './child-process.ts';
import { json } from './flow.ts';

/**
 * Runs an application, which prints `READY` and its base URL, signs in there as a browser does, and ends it.
 *
 * @returns the JSON of a guarded page, and what the application has said on stderr
 * @throws Error with what it said, where it does not start
 */
export async function signInAt(
  folder: string,
  file: string,
  node: string,
  env: Readonly<Record<string, string>>,
  path = '/private',
): Promise<{ page: Record<string, unknown>; said: string }> {
  const application = startProgram(node, ['--throw-deprecation', file], { cwd: folder, env });
  let said = '';
  application.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(application, 'close');
  const end = async (): Promise<void> => {
    application.kill();
    application.stdout.resume();
    await ended;
  };
  try {
    for await (const line of createInterface({ input: application.stdout })) {
      const url = /^READY (.*)$/.exec(line)?.[1];
      if (url === undefined) continue;
      const page = json(await new Browser().navigate(`${url}${path}`));
      await end();
      return { page, said };
    }
  } finally {
    await end();
  }
  throw new Error(`the application did not start: ${said}`);
}
