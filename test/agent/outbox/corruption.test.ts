import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { pack } from '../../../agent/outbox/packing.ts';
import { idsFrom, memoryLog, openAt, tempFolder } from './helpers.ts';
import { block, change } from './records.ts';

const PAGE_BYTES = 16 << 10;
/** A page in the write-ahead log, and what stands before the first. */
const LOG_FRAME_BYTES = PAGE_BYTES + 24;
const LOG_HEADER_BYTES = 32;
/** Small, so that there are few pages that hold nothing. */
const LOG_BYTES = 64 << 10;
const FIRST_BLOCK = block(1, 500, 200);
const SAVED = {
  checkpoints: [{ key: 'file', input: 'syslog', json: '{"offset":1}' }],
  values: [['limiter', '{"tokens":1}']] as [string, string][],
};

/** A database, closed, with state and 1,000 records in blocks of many pages and of less than one. */
function makeDatabase(): string {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path, { logBytesMax: LOG_BYTES });
  outbox.commit(change({ ...SAVED, blocks: [FIRST_BLOCK, block(501, 10), block(511, 490)] }), 1000);
  outbox.close();
  return path;
}

/** What an agent does: opens, loads, reads everything, commits, and reads that. Nothing of it may throw. */
function useIt(path: string) {
  const log = memoryLog();
  const outbox = openAt(path, { logBytesMax: LOG_BYTES }, log);
  const state = outbox.load();
  const ids = idsFrom(outbox, outbox.begin());
  const end = outbox.end();
  const result = outbox.commit(change({ ...SAVED, blocks: [block(5001, 3)] }), 2000);
  const added = idsFrom(outbox, Math.max(end, outbox.begin()));
  const stats = outbox.stats();
  outbox.close();
  return { log, state, ids, result, added, stats };
}

function corruptCopies(path: string): string[] {
  return readdirSync(dirname(path)).filter((name) => /^state\.db\.corrupt-[0-9TZ]+(\.\d+)?$/.test(name));
}

test('a database that is sound is not moved aside', () => {
  const path = makeDatabase();
  const { state, ids, stats } = useIt(path);
  expect(ids).toHaveLength(1000);
  expect(state.checkpoints).toHaveLength(1);
  expect(stats.corruptions).toBe(0);
  expect(corruptCopies(path)).toEqual([]);
});

test('cut at any page, it is moved aside and counted, or whole; never torn', () => {
  const path = makeDatabase();
  const whole = readFileSync(path);
  const pages = whole.length / PAGE_BYTES;
  let afresh = 0;
  for (let page = 0; page < pages; page++) {
    const copy = join(tempFolder(), 'state.db');
    copyFileSync(path, copy);
    truncateSync(copy, page * PAGE_BYTES);
    const { ids, result, added, stats } = useIt(copy);
    expect(result).toEqual({ ok: true });
    expect(added, `page ${page}`).toEqual(['r5001', 'r5002', 'r5003']);
    // An empty file is a new database.
    if (page > 0) expect([stats.corruptions, corruptCopies(copy).length], `page ${page}`).toEqual([1, 1]);
    expect(ids).toEqual([]);
    afresh += stats.corruptions;
  }
  console.log(`pages ${pages}, started afresh ${afresh}`);
});

test('its log cut at any page after a crash, it goes back to one commit, offsets and records alike', () => {
  const path = join(tempFolder(), 'state.db');
  const outbox = openAt(path, { logBytesMax: 1 << 20 });
  const commits = 12;
  for (let n = 1; n <= commits; n++) {
    const checkpoints = [{ key: 'file', input: 'syslog', json: `${n}` }];
    outbox.commit(change({ checkpoints, blocks: [block(n * 10, 10)] }), n);
  }
  // What kill -9 leaves.
  const whole = readFileSync(path);
  const log = readFileSync(`${path}-wal`);
  const seen = new Set<number>();
  for (let cut = 0; cut <= log.length; cut += cut === 0 ? LOG_HEADER_BYTES : LOG_FRAME_BYTES) {
    const copy = join(tempFolder(), 'state.db');
    writeWhole(copy, whole);
    writeWhole(`${copy}-wal`, log.subarray(0, cut));
    const { state, ids, result, stats } = useIt(copy);
    expect(result).toEqual({ ok: true });
    expect(stats.corruptions, `cut at ${cut}`).toBe(0);
    const last = Number(state.checkpoints[0]?.json ?? 0);
    expect(ids, `cut at ${cut}`).toEqual(Array.from({ length: last * 10 }, (_, n) => `r${n + 10}`));
    seen.add(last);
  }
  expect(seen.size).toBeGreaterThan(commits);
});

test.each([
  ['zeros', () => Buffer.alloc(PAGE_BYTES)],
  ['noise', () => Buffer.from(Array.from({ length: PAGE_BYTES }, (_, n) => (n * 2654435761) >>> 24))],
  ['one flipped bit in its middle', (page: Buffer) => flip(page, PAGE_BYTES / 2)],
])('with any page replaced by %s, records are whole or counted as lost', (_name, damage) => {
  const path = makeDatabase();
  const whole = readFileSync(path);
  const expected = Array.from({ length: 1000 }, (_, n) => `r${n + 1}`);
  for (let page = 0; page < whole.length / PAGE_BYTES; page++) {
    const copy = join(tempFolder(), 'state.db');
    const bytes = Buffer.from(whole);
    damage(bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)).copy(bytes, page * PAGE_BYTES);
    writeWhole(copy, bytes);
    const { ids, result, stats } = useIt(copy);
    expect(result).toEqual({ ok: true });
    if (stats.corruptions === 0) expect(ids, `page ${page}`).toEqual(expected);
    else expect(expected.slice(0, ids.length), `page ${page}`).toEqual(ids);
  }
});

test('a file that is no database is moved aside', () => {
  const path = join(tempFolder(), 'state.db');
  writeWhole(path, Buffer.from('no database, by any measure\n'.repeat(1000)));
  const { log, state, stats } = useIt(path);
  expect(state.checkpoints).toEqual([]);
  expect(stats.corruptions).toBe(1);
  expect(log.lines).toMatchObject([{ level: 'error', message: expect.stringMatching(/moved it aside/) }]);
});

test('corruption that is found later keeps checkpoints and values, counts records, and goes on numbering', () => {
  const path = makeDatabase();
  const bytes = readFileSync(path);
  // In the middle of the first block's chain of pages, which no check at opening reads.
  const stored = pack(FIRST_BLOCK).bytes;
  const at = bytes.indexOf(stored.subarray(stored.length >> 1, (stored.length >> 1) + 20));
  expect(at).toBeGreaterThan(0);
  flip(bytes, at).copy(bytes);
  writeWhole(path, bytes);
  const outbox = openAt(path, {}, memoryLog());
  outbox.load();
  outbox.acknowledge('a', 11, 100);
  expect(outbox.read(11)).toBeUndefined();
  expect(outbox.stats()).toMatchObject({ corruptions: 1, recordsLost: 990, records: 0 });
  expect(outbox.end()).toBe(1001);
  outbox.commit(change({ blocks: [block(1001, 2)] }), 3000);
  outbox.close();

  const after = openAt(path);
  expect(after.load()).toMatchObject({ checkpoints: SAVED.checkpoints, values: new Map(SAVED.values) });
  expect(idsFrom(after, after.position('a'))).toEqual(['r1001', 'r1002']);
});

test('the three newest corrupt databases are kept, each with its log', () => {
  const path = join(tempFolder(), 'state.db');
  for (let n = 0; n < 5; n++) {
    writeWhole(path, Buffer.alloc(PAGE_BYTES, `garbage ${n}`));
    writeWhole(`${path}-wal`, Buffer.from('left over'));
    useIt(path);
  }
  expect(corruptCopies(path)).toHaveLength(3);
  const contents = corruptCopies(path).map((name) =>
    readFileSync(join(dirname(path), name), 'utf8').slice(0, 9),
  );
  expect(contents.sort()).toEqual(['garbage 2', 'garbage 3', 'garbage 4']);
});

function flip(bytes: Buffer, at: number): Buffer {
  const flipped = Buffer.from(bytes);
  flipped[at]! ^= 0x10;
  return flipped;
}

function writeWhole(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'w');
  writeSync(fd, bytes);
  closeSync(fd);
}
