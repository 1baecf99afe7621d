import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { sinkSchema } from '../../../agent/config/schema.ts';
import {
  AFTER_MS_MAX,
  backoffMs,
  UNAUTHORIZED_MS_MIN,
  unauthorizedBackoffMs,
} from '../../../agent/delivery/backoff.ts';
import { BlockRecord } from '../../../agent/delivery/batch.ts';
import { DeadLetters } from '../../../agent/delivery/dead-letters.ts';
import { toDeliveryOptions } from '../../../agent/delivery/options.ts';

const LIMITS = { backoffMinMs: 1000, backoffMaxMs: 30_000 };

test.each([1, 2, 5, 6, 100, 1e6])(
  'after %i failures the pause lies between 0 and its ceiling',
  (failures) => {
    const ceiling = Math.min(30_000, 1000 * 2 ** (failures - 1));
    expect(backoffMs(LIMITS, failures, 0)).toBe(0);
    expect(backoffMs(LIMITS, failures, 0.5)).toBe(ceiling / 2);
    expect(backoffMs(LIMITS, failures, 1 - 1e-9)).toBe(ceiling);
    expect(backoffMs(LIMITS, failures, 0, 40_000)).toBe(40_000);
    expect(backoffMs(LIMITS, failures, 0, Number.MAX_SAFE_INTEGER)).toBe(AFTER_MS_MAX);
  },
);

test('after refused credentials the pause is never short', () => {
  expect(unauthorizedBackoffMs({ backoffMinMs: 1, backoffMaxMs: 10 }, 0)).toBe(UNAUTHORIZED_MS_MIN / 2);
  expect(unauthorizedBackoffMs({ backoffMinMs: 1, backoffMaxMs: 600_000 }, 1)).toBe(600_000);
});

function sink(input: Record<string, unknown>) {
  return z.parse(sinkSchema, { name: 'sink', ...input });
}

test('a sink’s configuration becomes its delivery', () => {
  expect(
    toDeliveryOptions(
      sink({
        type: 'http',
        url: 'https://h/',
        concurrency: 3,
        request_timeout: '7s',
        retry: { backoff_min: '2s', backoff_max: '1m' },
        batch: { records_max: 7, bytes_max: '1KiB', age_max: '3s' },
      }),
    ),
  ).toEqual({
    name: 'sink',
    batch: { recordsMax: 7, bytesMax: 1024, ageMaxMs: 3000 },
    concurrency: 3,
    requestTimeoutMs: 7000,
    backoffMinMs: 2000,
    backoffMaxMs: 60_000,
  });
  expect(toDeliveryOptions(sink({ type: 'stdout' }))).toMatchObject({ concurrency: 1, backoffMaxMs: 30_000 });
});

test.each([
  [{ disposition: ['deny'] }, ['denied', 'denied dns']],
  [{ log_type: ['flow'] }, ['denied', 'allowed']],
  [{ log_type: ['flow', 'dns'], disposition: ['deny', 'allow'] }, ['denied', 'allowed', 'denied dns']],
  [{ log_type: ['audit'] }, ['audit']],
  [{}, ['denied', 'allowed', 'denied dns', 'audit']],
])('only: %j', (only, expected) => {
  const records = [
    { id: 'denied', disposition: 'deny' },
    { id: 'allowed', disposition: 'allow' },
    { id: 'denied dns', disposition: 'deny', log_type: 'dns' },
    { id: 'audit', log_type: 'audit' },
  ].map((value) => new BlockRecord(Buffer.from(JSON.stringify(value))));
  const passing = (passes?: (record: Record<string, unknown>) => boolean) => {
    const { accept } = toDeliveryOptions(sink({ type: 'stdout', only }), passes);
    return records.filter((record) => accept?.(record) ?? true).map((record) => record.value().id);
  };
  expect(passing()).toEqual(expected);
  expect(passing((record) => record.id !== 'denied')).toEqual(expected.filter((id) => id !== 'denied'));
});

test('dead letters are bounded: one older file is kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dead-letters-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const letters = new DeadLetters(folder, 'search', 1000);
  for (let n = 0; n < 50; n++) {
    letters.write(
      [{ json: Buffer.from(`{"id":"r${n}"}`), reason: `bad\n"${'y'.repeat(2000)}` }].slice(0, 1),
      n,
    );
  }
  const lines = (suffix: string) =>
    readFileSync(letters.path + suffix, 'utf8')
      .trimEnd()
      .split('\n');
  const ids = [...lines('.1'), ...lines('')].map((line) => JSON.parse(line).record.id);
  expect(ids).toEqual(['r48', 'r49']);
  expect(JSON.parse(lines('')[0]!)).toMatchObject({ sink: 'search', time: '1970-01-01T00:00:00.049Z' });
  expect(JSON.parse(lines('')[0]!).reason).toHaveLength(500);
});

test('dead letters of an earlier run are kept', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dead-letters-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  new DeadLetters(folder, 'search').write([{ json: Buffer.from('{"id":"a"}'), reason: 'no' }], 0);
  const letters = new DeadLetters(folder, 'search');
  letters.write([{ json: Buffer.from('{"id":"b"}'), reason: 'no' }], 0);
  expect(readFileSync(letters.path, 'utf8').match(/"id":"."/g)).toEqual(['"id":"a"', '"id":"b"']);
});
