import { type Flow, startFlow } from './flow.ts';

/** A flow whose OP signs by an algorithm, and lists these in its discovery document. */
export async function startSigningWith(alg: string, listed: unknown = [alg]): Promise<Flow> {
  const flow = await startFlow({ oidc: { responseType: 'code id_token token' } });
  await flow.op.rotateKeys(alg);
  flow.op.lie({
    discovery: { json: (body) => ({ ...body, id_token_signing_alg_values_supported: listed }) },
  });
  return flow;
}
