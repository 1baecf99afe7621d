import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { OutboxError } from '../../../agent/outbox/failure.ts';
import { openOutbox } from '../../../agent/outbox/open-outbox.ts';
import { CONFIRM_DELAY_MS } from '../../../agent/outbox/outbox.ts';
import { REPEATED_BYTES_MAX } from '../../../sinks/sink.ts';
import { idsFrom, memoryLog, openAt, tempFolder } from './helpers.ts';
import { block, change } from './records.ts';

test('what was committed is there after a restart, and what was deleted is not', () => {
  const path = join(tempFolder(), 'state.db');
  const before = openAt(path);
  before.commit(
    change({
      checkpoints: [
        { key: 'file-1', input: 'syslog', json: '{"offset":10}' },
        { key: 'file-2', input: 'syslog', json: '{"offset":20}' },
      ],
      windows: {
        put: [
          { key: 1, opened: '{"src":1}', state: '[1]' },
          { key: 2, opened: '{"src":2}', state: '[2]' },
        ],
        delete: [],
      },
      values: [['limiter', '{"tokens":3}']],
      blocks: [block(1, 3), block(4, 2)],
    }),
    1000,
  );
  before.commit(
    change({
      checkpoints: [{ key: 'file-1', input: 'syslog', json: '{"offset":11}' }],
      forget: ['file-2'],
      windows: { put: [{ key: 2, opened: '"only the first is written"', state: '[3]' }], delete: [1] },
    }),
    2000,
  );
  before.close();

  const after = openAt(path);
  expect(after.load()).toEqual({
    checkpoints: [{ key: 'file-1', input: 'syslog', json: '{"offset":11}' }],
    windows: [{ key: 2, opened: '{"src":2}', state: '[3]' }],
    values: new Map([['limiter', '{"tokens":3}']]),
  });
  expect(after.position('a')).toBe(1);
  expect(idsFrom(after, 1)).toEqual(['r1', 'r2', 'r3', 'r4', 'r5']);
  expect(idsFrom(after, 3)).toEqual(['r3', 'r4', 'r5']);
  expect(after.stats()).toMatchObject({ records: 5, bytes: 60, oldestMs: 1000 });
});

test('what is confirmed after the end is not written, and does not hold the process', () => {
  vi.useFakeTimers();
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path);
  outbox.commit(change({ blocks: [block(1, 2)] }), 1000);
  outbox.close();
  outbox.acknowledge('a', 3, 10);
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
  expect(openAt(path).position('a')).toBe(1);
});

test('a block is deleted when every sink has confirmed it, and not before', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path, { sinks: ['a', 'b'] });
  outbox.commit(change({ blocks: [block(1, 2), block(3, 2)] }), 1000);
  outbox.acknowledge('a', 5, 44);
  outbox.acknowledge('b', 2, 11);
  outbox.flush();
  expect(outbox.stats()).toMatchObject({ records: 4, sinks: [{ records: 0 }, { records: 3 }] });
  outbox.acknowledge('b', 3, 11);
  outbox.flush();
  expect(outbox.begin()).toBe(3);
  expect(outbox.stats().records).toBe(2);
  outbox.acknowledge('b', 5, 22);
  outbox.flush();
  expect(outbox.stats()).toMatchObject({ records: 0, bytes: 0, oldestMs: undefined });
  outbox.close();

  const after = openAt(path, { sinks: ['a', 'b'] });
  expect([after.begin(), after.end(), after.position('a')]).toEqual([5, 5, 5]);
});

test('a confirmation rides on the next commit', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path);
  outbox.commit(change({ blocks: [block(1, 2)] }), 1000);
  outbox.acknowledge('a', 3, 22);
  outbox.commit(change({ blocks: [block(3, 1)] }), 1100);
  const copy = copyOf(path);
  expect(openAt(copy).position('a')).toBe(3);
  expect(outbox.begin()).toBe(3);
});

test('without a commit a confirmation is durable after the delay, and then no timer is left', () => {
  vi.useFakeTimers();
  try {
    const outbox = openAt(join(tempFolder(), 'state.db'));
    outbox.commit(change({ blocks: [block(1, 2)] }), 1000);
    outbox.acknowledge('a', 3, 22);
    vi.advanceTimersByTime(CONFIRM_DELAY_MS - 1);
    expect(outbox.begin()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(outbox.begin()).toBe(3);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

test('many confirmed bytes are made durable at once', () => {
  const outbox = openAt(join(tempFolder(), 'state.db'));
  outbox.commit(change({ blocks: [block(1, 2), block(3, 1)] }), 1000);
  outbox.acknowledge('a', 2, REPEATED_BYTES_MAX - 1);
  outbox.acknowledge('a', 3, 1);
  expect(outbox.begin()).toBe(3);
});

test('a new sink begins with the next record; a removed one is logged with what it had not confirmed', () => {
  const path = join(tempFolder(), 'state.db');
  const before = openAt(path, { sinks: ['a', 'old'] });
  before.commit(change({ blocks: [block(1, 3)] }), 1000);
  before.acknowledge('a', 4, 33);
  before.close();

  const log = memoryLog();
  const after = openAt(path, { sinks: ['a', 'new'] }, log);
  expect(log.lines).toMatchObject([{ level: 'info', details: { sink: 'old', records: 3 } }]);
  expect(after.position('new')).toBe(4);
  expect(after.stats()).toMatchObject({ records: 0, sinks: [{ name: 'a' }, { name: 'new' }] });
  after.commit(change({ blocks: [block(4, 1)] }), 2000);
  expect(idsFrom(after, after.position('new'))).toEqual(['r4']);

  after.configureSinks(['new']);
  after.acknowledge('new', 5, 11);
  after.flush();
  expect(after.stats()).toMatchObject({ records: 0, sinks: [{ name: 'new', records: 0 }] });
});

test('with `block` it is full at its size, and until a tenth is free again', () => {
  const outbox = openAt(join(tempFolder(), 'state.db'), { sizeMaxBytes: 1200 });
  expect(outbox.isFull()).toBe(false);
  for (let n = 0; n < 10; n++) outbox.commit(change({ blocks: [block(100 + n * 10, 10, 0)] }), 1000);
  expect(outbox.stats().bytes).toBe(1400);
  expect(outbox.isFull()).toBe(true);
  outbox.acknowledge('a', 21, 260);
  outbox.flush();
  expect([outbox.stats().bytes, outbox.isFull()]).toEqual([1120, true]);
  outbox.acknowledge('a', 31, 130);
  outbox.flush();
  expect([outbox.stats().bytes, outbox.isFull()]).toEqual([980, false]);
});

test('with `drop_oldest` the oldest blocks go, and are counted for the sinks that lacked them', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path, { sizeMaxBytes: 560, whenFull: 'drop_oldest', sinks: ['a', 'b'] });
  for (let n = 0; n < 4; n++) outbox.commit(change({ blocks: [block(100 + n * 10, 10)] }), 1000);
  outbox.acknowledge('a', 16, 195);
  outbox.commit(change({ blocks: [block(140, 10)] }), 2000);
  expect(outbox.isFull()).toBe(false);
  expect(outbox.stats()).toMatchObject({
    records: 40,
    bytes: 560,
    sinks: [
      { name: 'a', records: 35, dropped: 0 },
      { name: 'b', records: 40, dropped: 10 },
    ],
  });
  outbox.commit(change({ blocks: [block(150, 10), block(160, 10)] }), 3000);
  expect(outbox.stats()).toMatchObject({
    records: 40,
    sinks: [
      { records: 40, dropped: 15 },
      { records: 40, dropped: 30 },
    ],
  });
  expect(idsFrom(outbox, 1)).toHaveLength(40);
  // What a sink confirms of dropped records changes nothing.
  outbox.acknowledge('b', 5, 52);
  expect(outbox.position('b')).toBe(31);
});

test('a commit that changes nothing writes nothing', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path);
  outbox.load();
  expect(outbox.commit(change({ values: [['limiter', '{"t":1}']] }), 1000)).toEqual({ ok: true });
  const before = copyOf(path);
  expect(outbox.commit(change({ values: [['limiter', '{"t":1}']] }), 2000)).toEqual({ ok: true });
  expect(readFileSync(`${copyOf(path)}-wal`).equals(readFileSync(`${before}-wal`))).toBe(true);
});

test('a second agent on the same state is refused, with the reason', () => {
  const path = join(tempFolder(), 'state.db');
  openAt(path);
  expect(() => openAt(path)).toThrow(/another agent has it; each needs a state\.path of its own/);
});

test('a lock does not outlive kill -9', async () => {
  const path = join(tempFolder(), 'state.db');
  const child = spawn(process.execPath, [join(import.meta.dirname, 'committer.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  expect(() => openAt(path)).toThrow(OutboxError);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(openAt(path).end()).toBeGreaterThan(1);
});

test('a state of a newer version is left alone', () => {
  const path = join(tempFolder(), 'state.db');
  const db = new DatabaseSync(path);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(() => openAt(path)).toThrow(/a newer agent wrote it \(schema 99/);
});

test('what may pass is tried again until it does, and logged once', async () => {
  const folder = join(tempFolder(), 'state');
  // A folder where the file should be.
  mkdirSync(join(folder, 'state.db'), { recursive: true });
  const log = memoryLog();
  let attempts = 0;
  const options = {
    path: join(folder, 'state.db'),
    sizeMaxBytes: 1,
    whenFull: 'block',
    sinks: ['a'],
  } as const;
  const outbox = await openOutbox(options, log, undefined, async () => {
    if (++attempts === 3) rmdirSync(join(folder, 'state.db'));
  });
  outbox.close();
  expect(attempts).toBe(3);
  expect(log.lines).toMatchObject([
    {
      level: 'error',
      message: expect.stringMatching(/cannot open the state database .* may read and write/),
    },
  ]);
});

/** The database and its log as they stand on the disk now, as a crash would leave them. */
function copyOf(path: string): string {
  const copy = join(tempFolder(), 'state.db');
  // A process of its own copies, for closing a descriptor here would drop our lock.
  execFileSync('cp', [path, copy]);
  execFileSync('cp', [`${path}-wal`, `${copy}-wal`]);
  return copy;
}

test('after an outage is over, the disk gets back what it took', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path, { logBytesMax: 64 << 10 });
  for (let n = 0; n < 20; n++)
    outbox.commit(change({ ...STATE, blocks: [block(1 + n * 100, 100, 1500)] }), n);
  const grown = statSync(path).size;
  expect(grown).toBeGreaterThan(2 << 20);
  outbox.acknowledge('a', 2001, 3_000_000);
  outbox.flush();
  expect(statSync(path).size).toBeLessThan(256 << 10);
  expect(outbox.commit(change({ blocks: [block(2001, 100)] }), 30)).toEqual({ ok: true });
  outbox.close();
  const after = openAt(path);
  expect(after.load().checkpoints).toEqual(STATE.checkpoints);
  expect(idsFrom(after, after.position('a'))).toHaveLength(100);
});

test('while reading is stopped, room is made as soon as a sink confirms', () => {
  const outbox = openAt(join(tempFolder(), 'state.db'), { sizeMaxBytes: 100 });
  outbox.commit(change({ blocks: [block(1, 9)] }), 1000);
  expect(outbox.isFull()).toBe(true);
  outbox.acknowledge('a', 10, 108);
  expect(outbox.isFull()).toBe(false);
});

test('a sink that was removed may still confirm', () => {
  const outbox = openAt(join(tempFolder(), 'state.db'), { sinks: ['a', 'b'] });
  outbox.commit(change({ blocks: [block(1, 2)] }), 1000);
  outbox.configureSinks(['b']);
  outbox.acknowledge('a', 3, 24);
  expect(outbox.stats().sinks).toEqual([{ name: 'b', records: 2, dropped: 0 }]);
});

const STATE = { checkpoints: [{ key: 'file', input: 'syslog', json: '{"offset":1}' }] };
