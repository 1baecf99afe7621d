import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { machineTimezone } from '../../agent/machine-timezone.ts';

const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

test.each([
  ['a name', 'Europe/Berlin', 'Europe/Berlin'],
  ['a name in three parts', 'America/Argentina/Ushuaia', 'America/Argentina/Ushuaia'],
  ['UTC', 'UTC', 'UTC'],
  ['a file, of which the platform knows', ':/etc/localtime', here],
  ['a rule, of which the platform knows', 'CET-1CEST', here],
])('TZ is %s', (_what, TZ, zone) => {
  expect(machineTimezone({ TZ })).toBe(zone);
});

test.each([
  ['/usr/share/zoneinfo/Asia/Kolkata', 'Asia/Kolkata'],
  ['../usr/share/zoneinfo/Etc/UTC', 'Etc/UTC'],
  ['/somewhere/else', here],
])('without TZ, a link to %s', (target, zone) => {
  const folder = tempFolder();
  symlinkSync(target, join(folder, 'localtime'));
  expect(machineTimezone({}, join(folder, 'localtime'))).toBe(zone);
});

test('without TZ, a copy of a zone: the platform is asked', () => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'localtime'), 'TZif2');
  expect(machineTimezone({}, join(folder, 'localtime'))).toBe(here);
});

test('without TZ and without a link, as in a container: UTC', () => {
  expect(machineTimezone({}, join(tempFolder(), 'localtime'))).toBe('UTC');
});

function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'timezone-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
