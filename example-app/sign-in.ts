import {
  type ClientCredentials,
  type HybridFlow,
  hybridFlow,
  type Lock,
} from 'passport-oidc-hybrid';
import type { Settings } from './settings.ts';

/** Sets the library up: this is all that signing in takes, whatever the OP. */
export function createSignIn(settings: Settings, lock: Lock | undefined): HybridFlow {
  return hybridFlow({
    issuer: settings.issuer,
    clientId: settings.clientId,
    ...credentials(settings),
    baseUrl: settings.baseUrl,
    secret: settings.oidcSecret,
    lock,
    responseType: settings.responseType,
    scope: settings.scope,
    audience: settings.audience,
    resource: settings.resource,
    // Sign out at the OP, and the shop hears of it.
    backchannelLogout: true,
    // The library has an error page of its own; this shop shows it in its own dress.
    onError: ({ error, next }) => next(error),
  });
}

/** A client without a secret is a public one, and has to say so. */
function credentials({ clientSecret }: Settings): ClientCredentials {
  return clientSecret === undefined ? { tokenEndpointAuthMethod: 'none' } : { clientSecret };
}
