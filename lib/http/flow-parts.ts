import type { MutualTls } from '../oidc/mutual-tls.ts';
import type { Provider } from '../oidc/provider.ts';
import type { ResolvedOptions } from '../options.ts';
import type { EndSessions } from '../tokens/end-sessions.ts';
import type { FreshTokens } from '../tokens/fresh-token.ts';
import type { OneTimeNames } from '../tokens/one-time-names.ts';
import type { Sealer } from '../tokens/seal.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { LoginOutcomes } from './login-outcomes.ts';
import type { LoginSessions } from './login-session.ts';
import type { LogoutCookie } from './logout-cookie.ts';
import type { SessionChecks } from './session-check.ts';
import type { SilentLogins } from './silent-login.ts';
import type { TransactionCookies } from './transaction-cookies.ts';

/** What one flow is made of; `hybridFlow()` puts it together. */
export interface FlowParts {
  readonly options: ResolvedOptions;
  readonly provider: Provider;
  /** There where the client has a certificate. */
  readonly mutualTls: MutualTls | undefined;
  readonly sealer: Sealer;
  readonly tokenStore: TokenStore;
  readonly freshTokens: FreshTokens;
  /** There where sessions can be ended from outside. */
  readonly endSessions: EndSessions | undefined;
  readonly oneTimeNames: OneTimeNames;
  readonly transactionCookies: TransactionCookies;
  readonly logoutCookie: LogoutCookie;
  readonly loginSessions: LoginSessions;
  readonly loginOutcomes: LoginOutcomes;
  readonly silentLogins: SilentLogins;
  readonly sessionChecks: SessionChecks;
}
