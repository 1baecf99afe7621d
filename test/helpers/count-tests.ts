import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Sums up what vitest's JSON reports say: `node count-tests.ts DIR SUITE…` reads DIR/SUITE.json. */

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The part of a vitest JSON report that is counted; a step without tests leaves out the numbers. */
interface Report {
  success: boolean;
  numPassedTests?: number;
  numFailedTests?: number;
  numPendingTests?: number;
  numTodoTests?: number;
}

/**
 * The counts of one suite. A suite that left no readable report broke off, and one that did not succeed although
 * no test of it failed has a file that could not be loaded or an error outside of tests: one failed test each.
 */
export function countSuite(report: string | undefined): Counts {
  if (report === undefined) return { passed: 0, failed: 1, skipped: 0 };
  let parsed: Report;
  try {
    parsed = JSON.parse(report);
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const { success, numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = parsed;
  const failed = success ? numFailedTests : Math.max(1, numFailedTests);
  return { passed: numPassedTests, failed, skipped: numPendingTests + numTodoTests };
}

/** `tests: N passed, N failed`, and `, N skipped` where some were. */
export function summaryLine(suites: readonly Counts[]): string {
  const sum = (key: keyof Counts) => suites.reduce((total, counts) => total + counts[key], 0);
  const skipped = sum('skipped');
  return `tests: ${sum('passed')} passed, ${sum('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

function readReport(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [dir = '.', ...names] = process.argv.slice(2);
  const suites = names.map((name) => ({ name, ...countSuite(readReport(join(dir, `${name}.json`))) }));
  for (const { name, passed, failed, skipped } of suites) {
    console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  }
  console.log(summaryLine(suites));
  process.exitCode = suites.every((suite) => suite.failed === 0) ? 0 : 1;
}
