import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { NoiseLines } from './generate-lines.ts';
import { LiveWriter } from './live-writer.ts';

const folder = mkdtempSync(join(tmpdir(), 'live-writer-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('lines come when their time has come, and rotation by rename loses none of them', async () => {
  const source = new NoiseLines({ seed: 1, startUs: Date.now() * 1000, linesPerSecond: 2000 });
  const writer = new LiveWriter([{ path: join(folder, 'syslog'), source, rotateBytes: 20_000 }]);
  writer.start();
  while (writer.bytes < 50_000) await sleep(5);
  writer.stop();
  const names = readdirSync(folder).sort();
  expect(names).toEqual(['syslog', 'syslog.1', 'syslog.2']);
  const text = names.map((name) => readFileSync(join(folder, name), 'latin1')).join('');
  expect(text.length).toBe(writer.bytes);
  expect(text.split('\n').length - 1).toBe(writer.lines);
  expect(source.nextUs).toBeGreaterThan((Date.now() - 1000) * 1000);
});
