/** A customer who can sign in at the local OP, with any password. */
export interface DemoAccount {
  readonly sub: string;
  readonly name: string;
  readonly email: string;
}

export const demoAccounts: readonly [DemoAccount, ...DemoAccount[]] = [
  { sub: 'ada', name: 'Ada Marwick', email: 'ada@shop.example' },
  { sub: 'jonas', name: 'Jonas Lindqvist', email: 'jonas@shop.example' },
];

export function findAccount(unverifiedSub: unknown): DemoAccount | undefined {
  return demoAccounts.find((account) => account.sub === unverifiedSub);
}

/** The claims of the scopes `profile` and `email`. */
export function claimsOf({ sub, name, email }: DemoAccount): Record<string, string | boolean> & {
  sub: string;
} {
  const [given_name = name, family_name = ''] = name.split(' ');
  return { sub, name, given_name, family_name, email, email_verified: true };
}
