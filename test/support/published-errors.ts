import { type HybridFlowError, subscribe } from 'passport-oidc-hybrid';

/** Runs something, and returns the codes of the errors that were published under a name meanwhile. */
export async function publishedErrors(
  name: 'error' | 'refusal',
  run: () => Promise<unknown>,
): Promise<string[]> {
  const codes: string[] = [];
  const end = subscribe(name, ({ error }) => codes.push((error as HybridFlowError).code));
  try {
    await run();
  } finally {
    end();
  }
  return codes;
}
