/** Handlers as applications write them: what the compiler lets pass, and what it must not. */
import express, { type Request, type RequestHandler, type Response, Router } from 'express';
import passport from 'passport';
import {
  type AuthenticatedRequest,
  type HybridFlowOptions,
  hybridFlow,
  type IdTokenClaims,
  tenantFlows,
  type VerifiedLogin,
} from 'passport-oidc-hybrid';

declare const options: HybridFlowOptions;

interface Account {
  roles: string[];
  tenant?: string;
}

/** Another package, or the application, says what users are; this library does not. */
declare global {
  namespace Express {
    interface User {
      id: string;
    }
  }
}

/** Compiles where both types are the same. */
function expectType<Expected>() {
  return <Actual>(
    _actual: Actual,
    ..._same: (<T>() => T extends Actual ? 1 : 2) extends <T>() => T extends Expected ? 1 : 2
      ? []
      : [never]
  ): void => {};
}

const app = express();
const oidc = hybridFlow(options);
const typed = hybridFlow<Account>(options);
const other: RequestHandler = (_req, _res, next) => next();

// Inline handlers behind a guard have a login, and no `?.`.
app.get('/a', oidc.requireAuth(), (req, res) => {
  expectType<string>()(req.oidc.claims.sub);
  expectType<unknown>()(req.oidc.claims['roles']);
  res.json(req.oidc.claims);
});
app.post('/b', oidc.requireAuth({ scope: 'orders:write' }), async (req, res) => {
  res.send(await (await req.oidc.fetch('https://api.example')).text());
});
app.use('/c', oidc.requireAuth(), (req, _res, next) => {
  expectType<string>()(req.oidc.claims.iss);
  next();
});
Router().all('/d', oidc.requireAuth(), (req, res) => {
  res.json(req.oidc.claims.sub);
});

// Claims of the application's own.
app.get('/e', typed.requireAuth(), (req, res) => {
  expectType<string[]>()(req.oidc.claims.roles);
  expectType<string>()(req.oidc.claims.sub);
  // @ts-expect-error a claim that may be missing
  res.json(req.oidc.claims.tenant.length);
});
app.get('/f', typed.requireAuth({ claims: ({ roles }) => roles.includes('admin') }), other);

// Other middleware on either side changes nothing.
app.get('/g', other, typed.requireAuth(), other, other, (req, res) => {
  expectType<string[]>()(req.oidc.claims.roles);
  res.json();
});

// Names in the path and the application's locals stay as they are.
app.get('/h/:id', oidc.requireAuth(), (req, res) => {
  expectType<string>()(req.params.id);
  // @ts-expect-error the path has no such name
  void req.params.other;
  res.locals['anything'] = req.oidc.claims.sub;
  res.json(req.query['page']);
});

// Without a guard there may be no login.
app.get('/i', (req, res) => {
  // @ts-expect-error nobody has looked
  res.json(req.oidc.claims);
});
app.get('/j', other, (req, res) => {
  // @ts-expect-error nobody has looked
  res.json(req.oidc.claims);
});
app.get('/k', typed.optionalAuth(), (req, res) => {
  expectType<string[] | undefined>()(req.oidc?.claims.roles);
  // @ts-expect-error a visitor may not be signed in
  res.json(req.oidc.claims);
});
app.get('/l', typed.optionalAuth(), typed.requireAuth(), (req, res) => {
  res.json(req.oidc.claims.roles);
});

// Handlers that are declared elsewhere say what they expect.
const listRoles = (req: AuthenticatedRequest<Account>, res: Response): void => {
  expectType<string[]>()(req.oidc.claims.roles);
  res.json({ body: req.body, page: req.query['page'] });
};
app.get('/m', typed.requireAuth(), listRoles);
const showItem = (req: AuthenticatedRequest<unknown, { id: string }>, res: Response): void => {
  expectType<string>()(req.params.id);
  res.json(req.oidc.claims.sub);
};
app.get('/n/:id', typed.requireAuth(), showItem);
const anyHandler = (req: Request, res: Response): void => {
  // @ts-expect-error a request of any kind
  res.json(req.oidc.claims);
};
app.get('/o', oidc.requireAuth(), anyHandler);

// Where the compiler cannot see the guard, the flow has the login.
app.use(oidc.requireAuth());
app.route('/p').get((req, res) => {
  expectType<string[]>()(typed.contextOf(req).claims.roles);
  res.json(oidc.contextOf(req).claims);
});

// A guard is a handler like any other.
const guards: RequestHandler[] = [oidc.requireAuth(), oidc.optionalAuth(), other];
app.use('/q', guards);
app.use('/r', [oidc.requireAuth(), other]);
const logPath = (req: Request): string => req.path;
app.get('/s/:id', oidc.requireAuth(), (req, res) => {
  const same: Request<{ id: string }> = req;
  res.json(logPath(req) + same.params.id);
});

// Passport, and a user that is the application's.
passport.use(typed.strategy(({ claims }) => ({ id: claims.sub, roles: claims.roles })));
app.get('/t', oidc.requireAuth(), (req, res) => {
  expectType<string | undefined>()(req.user?.id);
  if (req.isAuthenticated()) expectType<string>()(req.user.id);
  res.json(req.oidc.claims.sub);
});

// Tenants and the proxy know the claims, too; a guard decides at once, and by true or false.
const tenants = tenantFlows<Account>({ secret: 'a secret', resolveClient: () => undefined });
const isAdmin = { claims: ({ roles }: Account): boolean => roles.includes('admin') };
app.get('/u', tenants.requireAuth(isAdmin), (req, res) => {
  expectType<string[]>()(req.oidc.claims.roles);
  res.json(tenants.contextOf(req).claims.roles);
});
app.use('/v', typed.proxy({ target: 'https://api.example', ...isAdmin }));
// @ts-expect-error these claims have no roles
oidc.proxy({ target: 'https://api.example', ...isAdmin });
// @ts-expect-error a promise is no answer
typed.requireAuth({ claims: async ({ roles }) => roles.includes('admin') });
// @ts-expect-error nor is what may be missing
typed.requireAuth({ claims: ({ tenant }) => tenant?.startsWith('a') });

// `verify` sees the claims, and tells the compiler of them.
const verify = ({ claims, refuse }: VerifiedLogin<Account>): { id: string } =>
  claims.roles.length === 0 ? refuse('no role') : { id: claims.sub };
hybridFlow<Account>({ ...options, verify });
hybridFlow<Account>({ ...options, verify: ({ claims }) => claims.roles.length > 0 });
expectType<string | undefined>()({} as IdTokenClaims['acr']);

// Wrong options are the compiler's business, too.
// @ts-expect-error no credentials
hybridFlow({
  issuer: 'https://op.example',
  clientId: 'a',
  baseUrl: 'https://b.example',
  secret: 's',
});
// @ts-expect-error no such response type
hybridFlow({ ...options, responseType: 'id_token' });
// @ts-expect-error no such option
oidc.requireAuth({ acessToken: false });
