import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../../agent/config/load.ts';
import { ConfigWatch } from '../../../agent/config/watch.ts';

let volume: string;
let path: string;
let swaps = 0;

beforeEach(() => {
  volume = mkdtempSync(join(tmpdir(), 'configmap-'));
  path = join(volume, 'config.yaml');
});
afterEach(() => rmSync(volume, { recursive: true }));

function text(burst: number | string): string {
  return `inputs: [{type: file, format: syslog, paths: [/var/log/syslog]}]
limit: {burst: ${burst}}
sinks: [{name: a, type: stdout}]
`;
}

/** What the kubelet does: a new folder, a new link, the link renamed over `..data`, the old folder removed. */
function swap(files: Record<string, string>): void {
  const folder = `..2026_11_21_${swaps++}`;
  mkdirSync(join(volume, folder));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(volume, folder, name), content);
  symlinkSync(folder, join(volume, '..data_tmp'));
  renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
  for (const name of Object.keys(files)) {
    rmSync(join(volume, name), { force: true });
    symlinkSync(join('..data', name), join(volume, name));
  }
  rmSync(join(volume, `..2026_11_21_${swaps - 2}`), { recursive: true, force: true });
}

function watch(): ConfigWatch {
  return new ConfigWatch(path, {}, loadConfig(path, {}));
}

function burstOf(watched: ConfigWatch): number | string | undefined {
  const changed = watched.look();
  if (changed === undefined) return undefined;
  return changed.ok ? changed.config.limit.burst : changed.problems[0]!.message;
}

describe('a mounted ConfigMap', () => {
  test('is reported once for each swap', () => {
    swap({ 'config.yaml': text(1) });
    const watched = watch();
    expect(burstOf(watched)).toBeUndefined();
    for (let burst = 2; burst < 100; burst++) {
      swap({ 'config.yaml': text(burst) });
      expect(burstOf(watched)).toBe(burst);
      expect(burstOf(watched)).toBeUndefined();
    }
  });

  test('is reported with its problems when it is wrong, and again when it is mended', () => {
    swap({ 'config.yaml': text(1) });
    const watched = watch();
    swap({ 'config.yaml': text(0) });
    expect(burstOf(watched)).toBe('expected a whole number from 1 on; got 0');
    expect(burstOf(watched)).toBeUndefined();
    swap({ 'config.yaml': text(1) });
    expect(burstOf(watched)).toBe(1);
  });

  test('that is swapped for the same content is no change', () => {
    swap({ 'config.yaml': text(1) });
    const watched = watch();
    swap({ 'config.yaml': text(1) });
    expect(watched.look()).toBeUndefined();
  });

  test('swapped twice between two looks is one change', () => {
    swap({ 'config.yaml': text(1) });
    const watched = watch();
    swap({ 'config.yaml': text(2) });
    swap({ 'config.yaml': text(3) });
    expect(burstOf(watched)).toBe(3);
    expect(watched.look()).toBeUndefined();
  });

  test('that is away for a moment is looked for again', () => {
    swap({ 'config.yaml': text(1) });
    const watched = watch();
    renameSync(join(volume, '..data'), join(volume, '..away'));
    expect(watched.look()).toBeUndefined();
    renameSync(join(volume, '..away'), join(volume, '..data'));
    expect(watched.look()).toBeUndefined();
    unlinkSync(join(volume, '..data'));
    expect(watched.look()).toBeUndefined();
    swap({ 'config.yaml': text(2) });
    expect(burstOf(watched)).toBe(2);
  });
});

describe('a plain file', () => {
  test('written in place, with the same size and times, is a change', () => {
    writeFileSync(path, text(1));
    utimesSync(path, 1, 1);
    const watched = watch();
    expect(watched.look()).toBeUndefined();
    writeFileSync(path, text(2));
    utimesSync(path, 1, 1);
    expect(burstOf(watched)).toBe(2);
  });

  test('that is touched is none', () => {
    writeFileSync(path, text(1));
    const watched = watch();
    utimesSync(path, 1, 1);
    expect(watched.look()).toBeUndefined();
  });
});

describe('a file that is put in', () => {
  test('is watched as well, from the time that it is named', () => {
    const [one, two] = [join(volume, 'one'), join(volume, 'two')];
    const withNode = (file: string) => `${text(1)}node: "\${file:${file}}"\n`;
    const nodeOf = (watched: ConfigWatch) => {
      const changed = watched.look();
      return changed?.ok ? changed.config.node : changed?.problems[0]?.message;
    };
    writeFileSync(one, 'a\n');
    writeFileSync(path, withNode(one));
    const watched = watch();
    expect(watched.look()).toBeUndefined();
    writeFileSync(one, 'b\n');
    expect(nodeOf(watched)).toBe('b');
    writeFileSync(path, withNode(two));
    expect(nodeOf(watched)).toMatch(/there is no such file/);
    writeFileSync(two, 'c\n');
    expect(nodeOf(watched)).toBe('c');
    writeFileSync(one, 'd\n');
    expect(watched.look()).toBeUndefined();
  });
});

test('what is written to files that were left alone for a while is noticed', () => {
  writeFileSync(path, text(1));
  const watched = watch();
  const later = Date.now() + 60_000;
  expect(watched.look(later)).toBeUndefined();
  expect(watched.look(later)).toBeUndefined();
  const { ctimeNs } = statSync(path, { bigint: true });
  // Times move on in steps of some milliseconds.
  do writeFileSync(path, text(2));
  while (statSync(path, { bigint: true }).ctimeNs === ctimeNs);
  expect(burstOf(watched)).toBe(2);
});

test('now and then is once a second, also when the clock is set back', () => {
  writeFileSync(path, text(1));
  const watched = watch();
  const seen = (number: number, nowMs: number) => {
    writeFileSync(path, text(number));
    const changed = watched.lookNowAndThen(nowMs);
    return changed?.ok ? changed.config.limit.burst : undefined;
  };
  const nowMs = Date.now();
  expect(seen(2, nowMs)).toBe(2);
  expect(seen(3, nowMs + 999)).toBeUndefined();
  expect(seen(3, nowMs + 1000)).toBe(3);
  expect(seen(4, nowMs + 1)).toBeUndefined();
  expect(seen(4, nowMs - 3_600_000)).toBe(4);
});

describe('a file that a sink names', () => {
  test('is a part of the configuration: changed, gone or there again, it is reported once', () => {
    const ca = join(volume, 'ca.pem');
    const sink = { name: 'a', type: 'http', url: 'https://h/', tls: { ca_file: ca } };
    writeFileSync(ca, 'one');
    writeFileSync(path, `${text(1)}sinks: ${JSON.stringify([sink])}\n`.replace(/^sinks: .*stdout.*$/m, ''));
    const watched = watch();
    expect(watched.look()).toBeUndefined();
    for (const change of [
      () => writeFileSync(ca, 'two'),
      () => unlinkSync(ca),
      () => writeFileSync(ca, 'two'),
    ]) {
      change();
      expect(watched.look()).toMatchObject({ ok: true });
      expect(watched.look()).toBeUndefined();
    }
  });
});
