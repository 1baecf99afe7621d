import { strict as assert } from 'node:assert';
import type { AccountsSummary } from '../../agent/observe/accounts.ts';

/** Every line that was read is in exactly one class. */
export function assertAccountsClose(accounts: AccountsSummary): void {
  const { lines, restored, records, merged, filtered, foreign, unparsable, dropped, held } = accounts;
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
  const classes = records + merged + filtered + foreign + sum(unparsable) + sum(dropped) + held;
  assert.equal(lines + restored, classes, `the accounts do not close: ${JSON.stringify(accounts)}`);
}
