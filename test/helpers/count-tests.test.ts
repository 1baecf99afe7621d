import { describe, expect, it } from 'vitest';
import { countSuite, summaryLine } from './count-tests.ts';

const report = (fields: object) =>
  JSON.stringify({
    success: true,
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    ...fields,
  });

describe('countSuite', () => {
  it.each([
    ['all passed', report({ numPassedTests: 7 }), { passed: 7, failed: 0, skipped: 0 }],
    [
      'some skipped or to do',
      report({ numPassedTests: 7, numPendingTests: 2, numTodoTests: 1 }),
      { passed: 7, failed: 0, skipped: 3 },
    ],
    [
      'some failed',
      report({ success: false, numPassedTests: 5, numFailedTests: 2 }),
      { passed: 5, failed: 2, skipped: 0 },
    ],
    [
      'a file that did not load',
      report({ success: false, numPassedTests: 5 }),
      { passed: 5, failed: 1, skipped: 0 },
    ],
    ['a step without tests', '{"success": true}', { passed: 0, failed: 0, skipped: 0 }],
    ['no report', undefined, { passed: 0, failed: 1, skipped: 0 }],
    ['half a report', '{"success": tr', { passed: 0, failed: 1, skipped: 0 }],
  ])('%s', (_, text, counts) => {
    expect(countSuite(text)).toEqual(counts);
  });
});

describe('summaryLine', () => {
  it('sums all suites', () => {
    const suites = [countSuite(report({ numPassedTests: 7 })), countSuite(undefined)];
    expect(summaryLine(suites)).toBe('tests: 7 passed, 1 failed');
  });

  it('names skipped tests where there are some', () => {
    expect(summaryLine([{ passed: 1, failed: 0, skipped: 2 }])).toBe('tests: 1 passed, 0 failed, 2 skipped');
  });
});
