import { writeSync } from 'node:fs';
import { argv } from 'node:process';
import { Outbox } from '../../../agent/outbox/outbox.ts';
import { block, change } from './records.ts';

// Commits numbered records as fast as it can, and says after each commit up to which number; meant to be killed.
const [path = '', sizeMaxBytes = '1000000000'] = argv.slice(2);
const log = {
  info() {},
  warn() {},
  error: (details: object, message: string) => console.error(message, details),
};
const options = {
  path,
  sizeMaxBytes: Number(sizeMaxBytes),
  whenFull: 'block',
  sinks: ['fast', 'slow'],
} as const;
const outbox = new Outbox(options, log as never);
outbox.open();
const saved = outbox.load().checkpoints[0];
let next: number = saved ? JSON.parse(saved.json).next : 1;
for (;;) {
  const count = 1 + (next % 300);
  const blocks = [block(next, count, next % 200), block(next + count, 1)];
  next += count + 1;
  const checkpoints = [{ key: 'file', input: 'syslog', json: JSON.stringify({ next }) }];
  const windows = {
    put: [{ key: next % 7, opened: '{}', state: JSON.stringify({ next }) }],
    delete: [(next + 3) % 7],
  };
  const result = outbox.commit(change({ checkpoints, windows, values: [['next', `${next}`]], blocks }), next);
  if (!result.ok) throw new Error(result.message);
  writeSync(1, `${next}\n`);
  outbox.acknowledge('fast', outbox.end(), 1000);
  outbox.acknowledge('slow', Math.max(1, outbox.end() - 3000), 1000);
}
