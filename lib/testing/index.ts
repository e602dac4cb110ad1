/**
 * For the tests of applications, and for nothing else: an OP of loopback by {@link fakeOp}, and {@link signInAs}.
 *
 * @module passport-oidc-hybrid/testing
 */

export type { Clock as FakeClock } from './clock.ts';
export { startClock as fakeClock } from './clock.ts';
export type { FakeOp, FakeOpClient, FakeOpOptions } from './fake-op.ts';
export { clientOf, fakeOp } from './fake-op.ts';
export type { AnswerLie, Encryption, IdTokenLie, Lies, RefusedRequest } from './lies.ts';
export type { Certificate } from './listen-tls.ts';
export type { LyingOp, OpRequest, OpSite, OpVisitor } from './lying-op.ts';
export type {
  AgentRequest,
  AgentResponse,
  BrowserPage,
  HttpAgent,
  SignInOptions,
  Who,
} from './sign-in-as.ts';
export { signInAs } from './sign-in-as.ts';
