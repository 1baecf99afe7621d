import { expect, test } from 'vitest';
import { Heads } from '../../../agent/stages/heads.ts';
import type { OpenWindow, WindowOwner } from '../../../agent/stages/open-window.ts';
import { WindowKeys } from '../../../agent/stages/window-keys.ts';
import { StagesRun } from '../../helpers/stages-run.ts';

const owner: WindowOwner = { input: 'syslog', heads: new Heads(), anew: (key) => keys.anew(key) };
const keys = new WindowKeys(owner);

test('a key has one window, which is forgotten only when it is closed; then the next one stands for it', () => {
  const open = keys.of('open');
  open.openAt(0, 0, undefined);
  const closed = keys.of('closed');
  expect(keys.of('closed')).toBe(closed);
  const others: OpenWindow[] = [];
  for (let number = 0; number < 20_000; number += 1) others.push(keys.of(`key ${number}`));
  expect(keys.of('open')).toBe(open);
  expect(open.isForgotten).toBe(false);
  expect(closed.isForgotten).toBe(true);
  expect(keys.now(closed)).not.toBe(closed);
  expect(keys.now(closed)).toBe(keys.of('closed'));
  expect(others.filter(({ isForgotten }) => !isForgotten).length).toBeLessThan(5000);
});

test('connections of more keys than are remembered merge as others do', () => {
  const run = new StagesRun({ limit: { connections_per_second: 0 }, aggregate: { keys_max: 100_000 } });
  let timeUs = 1_700_000_000_000_000;
  for (let round = 0; round < 3; round += 1) {
    for (let number = 0; number < 6000; number += 1) {
      // Windows of the last 5,000 are open.
      timeUs += 1000;
      const flow = { timeUs, src: `10.0.${number >> 8}.${number & 255}`, srcPort: round };
      run.line(flow);
      run.line({ ...flow, timeUs: timeUs + 1 });
    }
  }
  run.stages.closeAll();
  expect(run.records.length).toBe(18_000);
  expect(new Set(run.records.map(({ count }) => count))).toEqual(new Set([2]));
  expect(run.gap).toEqual({ lines: 0, records: 0 });
});
