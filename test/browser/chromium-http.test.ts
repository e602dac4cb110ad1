import { describeCombinations } from './rows/combination.ts';
import { describeLogins } from './rows/logins.ts';
import { describeRenewedLogins } from './rows/renewed-logins.ts';
import { describeSetUps } from './rows/set-ups.ts';

describeCombinations('Chromium', 'http', (combination) => {
  describeLogins(combination);
  describeRenewedLogins(combination);
  describeSetUps(combination);
});
