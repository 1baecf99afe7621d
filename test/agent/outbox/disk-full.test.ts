import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, type TestContext, test } from 'vitest';
import { idsFrom, memoryLog, openAt, tempFolder } from './helpers.ts';
import { block, change } from './records.ts';

const LOG_BYTES = 256 << 10;
const OPTIONS = { sinks: ['a', 'b'], logBytesMax: LOG_BYTES };
/** 100 records of about 100 bytes each. */
const RECORDS = 100;

test('on a full disk adding fails and changes nothing; confirming, deleting and adding again work', (context) => {
  const { expect } = context;
  const disk = smallDisk(context, '4m');
  const path = join(disk, 'state.db');
  const outbox = openAt(path, OPTIONS);
  let next = 1;
  const commit = () => {
    const result = outbox.commit(
      change({
        checkpoints: [{ key: 'file', input: 'syslog', json: `{"next":${next + RECORDS}}` }],
        blocks: [block(next, RECORDS, 80)],
      }),
      next,
    );
    if (result.ok) next += RECORDS;
    return result;
  };
  // Another writer takes what is left while the outbox grows.
  while (outbox.stats().bytes < 1 << 20) expect(commit()).toEqual({ ok: true });
  fillUp(disk);
  let result = commit();
  while (result.ok) result = commit();
  expect(result).toMatchObject({ ok: false, reason: 'disk_full', message: expect.stringContaining(path) });
  for (let n = 0; n < 20; n++) expect(commit()).toMatchObject({ reason: 'disk_full' });
  expect(outbox.end()).toBe(next);
  expect(idsFrom(outbox, 1)).toHaveLength(next - 1);

  // Sinks go on draining, in the smallest steps, each made durable.
  const stored = outbox.begin();
  let confirmed = 1;
  for (; confirmed < next - RECORDS * 10; confirmed += 7) {
    for (const sink of OPTIONS.sinks) outbox.acknowledge(sink, confirmed + 7, 700);
    expect(outbox.flush()).toEqual({ ok: true });
  }
  expect(outbox.begin()).toBeGreaterThan(stored);
  expect(freeBytes(disk)).toBe(0);

  // What they freed is room for new records, on a disk that is as full as before.
  for (let n = 0; n < 50; n++) expect(commit()).toEqual({ ok: true });
  expect(freeBytes(disk)).toBe(0);
  outbox.close();

  const after = openAt(path, OPTIONS);
  expect(after.load().checkpoints[0]?.json).toBe(`{"next":${next}}`);
  expect(idsFrom(after, confirmed)).toEqual(ids(confirmed, next));
});

test('it opens on a full disk, drains, and takes records when there is room again', (context) => {
  const { expect } = context;
  const disk = smallDisk(context, '4m');
  const path = join(disk, 'state.db');
  const before = openAt(path, OPTIONS);
  for (let n = 0; n < 60; n++) before.commit(change({ blocks: [block(1 + n * RECORDS, RECORDS, 80)] }), n);
  before.close();
  const filler = fillUp(disk);

  const log = memoryLog();
  const outbox = openAt(path, OPTIONS, log);
  expect(idsFrom(outbox, 1)).toHaveLength(6000);
  const big = change({ blocks: [block(6001, 10_000, 80)] });
  expect(outbox.commit(big, 100)).toMatchObject({ reason: 'disk_full' });
  rmSync(filler);
  expect(outbox.commit(big, 100)).toEqual({ ok: true });
  for (const sink of OPTIONS.sinks) outbox.acknowledge(sink, 16_001, 1_000_000);
  expect(outbox.flush()).toEqual({ ok: true });
  expect(outbox.stats().records).toBe(0);
});

/** A file system of its own, as root can make one. */
function smallDisk(context: TestContext, size: string): string {
  if (process.getuid?.() !== 0) context.skip('only root can mount a small file system to fill');
  const disk = join(tempFolder(), 'disk');
  mkdirSync(disk);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', disk]);
  });
  return disk;
}

/** Leaves no byte free. @returns the file that takes the room */
function fillUp(disk: string): string {
  const path = join(disk, 'filler');
  const fd = openSync(path, 'a');
  for (let size = 1 << 20; size > 0; ) {
    try {
      writeSync(fd, Buffer.alloc(size));
    } catch {
      size >>= 1;
    }
  }
  closeSync(fd);
  return path;
}

function freeBytes(disk: string): number {
  const { bavail, bsize } = statfsSync(disk);
  return bavail * bsize;
}

function ids(from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, n) => `r${from + n}`);
}
