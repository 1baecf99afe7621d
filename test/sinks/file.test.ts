import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import * as z from 'zod/mini';
import { type FileSinkOptions, fileSinkSchema } from '../../agent/config/sinks/file.ts';
import { RecordBatch } from '../../agent/delivery/batch.ts';
import { FileSink } from '../../sinks/file.ts';
import { batchOf, numbered, scatteredBatch } from './batch.ts';

const DELIVERED = { kind: 'delivered' };

/** @param rotate in bytes, smaller than the schema lets anyone configure */
function setUp({
  rotate,
  ...options
}: Record<string, unknown> & { rotate?: FileSinkOptions['rotate'] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'file-sink-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'deep', 'records.ndjson');
  const checked = z.parse(fileSinkSchema, { type: 'file', name: 'archive', path, ...options });
  const parsed = { ...checked, rotate: rotate ?? checked.rotate };
  const open = async () => {
    const sink = new FileSink(parsed);
    await sink.open();
    onTestFinished(() => sink.close());
    return sink;
  };
  const ids = (suffix = '') =>
    readFileSync(path + suffix, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id as string);
  return { path, open, ids, names: () => readdirSync(join(folder, 'deep')).sort() };
}

test('batches are appended as they are, behind what was there', async () => {
  const { open, ids } = setUp();
  const first = await open();
  expect(await first.send(batchOf(['a', 'b']))).toEqual(DELIVERED);
  expect(await first.send(scatteredBatch(['c', 'd']))).toEqual(DELIVERED);
  await first.close();
  const second = await open();
  await second.send(batchOf(['e']));
  expect(ids()).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('it is rotated before it grows beyond its size, and the oldest goes', async () => {
  const { path, open, ids, names } = setUp({ rotate: { size_max: 100, files_max: 2 } });
  const sink = await open();
  for (const id of ['r1', 'r2', 'r3', 'r4', 'r5']) await sink.send(batchOf([id], 50));
  expect(names()).toEqual(['records.ndjson', 'records.ndjson.1', 'records.ndjson.2']);
  expect([ids('.2'), ids('.1'), ids()]).toEqual([['r3'], ['r4'], ['r5']]);
  expect(statSync(path).size).toBeLessThanOrEqual(100);
});

test('a batch that is larger than a file may be is split at its records; one such record has a file of its own', async () => {
  const { open, ids } = setUp({ rotate: { size_max: 30, files_max: 9 } });
  const sink = await open();
  expect(await sink.send(batchOf(numbered(1, 5)))).toEqual(DELIVERED);
  await sink.send(batchOf(['big'], 100));
  await sink.send(batchOf(['r6']));
  expect([ids('.4'), ids('.3'), ids('.2'), ids('.1'), ids()]).toEqual([
    ['r1', 'r2'],
    ['r3', 'r4'],
    ['r5'],
    ['big'],
    ['r6'],
  ]);
});

test('without rotated files to keep, it begins anew', async () => {
  const { open, ids, names } = setUp({ rotate: { size_max: 30, files_max: 0 } });
  const sink = await open();
  for (const id of ['r1', 'r2', 'r3']) await sink.send(batchOf([id]));
  expect([names(), ids()]).toEqual([['records.ndjson'], ['r3']]);
});

test.each([
  ['after its first byte', 1],
  ['in its middle', 20],
  ['before its newline', 0],
])('a last line that is torn %s is cut off, and its record is written whole', async (_name, keep) => {
  const { path, open, ids } = setUp();
  const first = await open();
  await first.send(batchOf(['a', 'b'], 30));
  await first.close();
  const size = statSync(path).size;
  const line = size / 2;
  truncateSync(path, keep === 0 ? size - 1 : line + keep);
  const second = await open();
  expect(ids()).toEqual(['a']);
  await second.send(batchOf(['b', 'c'], 30));
  expect(ids()).toEqual(['a', 'b', 'c']);
});

test('a torn line without any newline, longer than the tail that is read, is cut off', async () => {
  const { path, open, ids } = setUp({ batch: { bytes_max: '1KiB' } });
  await (await open()).close();
  writeFileSync(path, Buffer.alloc(3 << 20, 'x'));
  const sink = await open();
  await sink.send(batchOf(['a']));
  expect(ids()).toEqual(['a']);
});

test('records that stand in the file already are not written again', async () => {
  const { open, ids } = setUp();
  const first = await open();
  await first.send(batchOf(numbered(1, 10)));
  await first.close();
  const second = await open();
  expect(await second.send(batchOf(numbered(6, 3)))).toEqual(DELIVERED);
  expect(await second.send(batchOf(numbered(9, 5)))).toEqual(DELIVERED);
  expect(await second.send(batchOf(numbered(14, 2)))).toEqual(DELIVERED);
  expect(ids()).toEqual(numbered(1, 15));
});

test('also where they are text', async () => {
  const { path, open } = setUp();
  const text = (first: number, count: number) =>
    new RecordBatch(
      [
        Buffer.from(
          numbered(first, count)
            .map((id) => `CEF:0|${id}|\n`)
            .join(''),
        ),
      ],
      count,
    );
  const first = await open();
  await first.send(text(1, 10));
  await first.close();
  const second = await open();
  await second.send(text(6, 3));
  await second.send(text(9, 5));
  expect(readFileSync(path)).toEqual(text(1, 13).ndjson[0]);
});

test('also when a rotation came between', async () => {
  const { open, ids } = setUp({ rotate: { size_max: 60, files_max: 9 } });
  const first = await open();
  for (let n = 1; n <= 10; n++) await first.send(batchOf([`r${n}`]));
  await first.close();
  const second = await open();
  await second.send(batchOf(numbered(3, 10)));
  expect(['.2', '.1', ''].map((suffix) => ids(suffix))).toEqual([
    numbered(1, 5),
    numbered(6, 4),
    numbered(10, 3),
  ]);
});

test('lines that are no records are left alone', async () => {
  const { path, open } = setUp();
  await (await open()).close();
  appendFileSync(path, 'hello\n{"no":"id"}\n[]\nnull\n{"id":"a\\"b"}\n');
  const sink = await open();
  await sink.send(batchOf(['a"b', 'c']));
  expect(readFileSync(path, 'utf8')).toBe('hello\n{"no":"id"}\n[]\nnull\n{"id":"a\\"b"}\n{"id":"c"}\n');
});

test('a file that was moved away, deleted or truncated is begun anew', async () => {
  const { path, open, ids } = setUp();
  const sink = await open();
  await sink.send(batchOf(['a']));
  renameSync(path, `${path}.moved`);
  await sink.send(batchOf(['b']));
  expect([ids('.moved'), ids()]).toEqual([['a'], ['b']]);
  unlinkSync(path);
  await sink.send(batchOf(['c']));
  expect(ids()).toEqual(['c']);
  truncateSync(path, 0);
  await sink.send(batchOf(['d']));
  expect(ids()).toEqual(['d']);
});

test('a write that fails is a retry that names the file, and the rest of the batch goes again', async () => {
  const { open, ids, path } = setUp({ rotate: { size_max: 30, files_max: 1 } });
  const sink = await open();
  // The second file cannot be begun: a folder stands where the first must be moved.
  mkdirSync(`${path}.1`);
  expect(await sink.send(batchOf(numbered(1, 4)))).toMatchObject({
    kind: 'delivered',
    again: [2, 3],
    reason: expect.stringContaining(path),
  });
  expect(ids()).toEqual(['r1', 'r2']);
  rmdirSync(`${path}.1`);
  expect(await sink.send(batchOf(['r3', 'r4']))).toEqual(DELIVERED);
  expect([ids('.1'), ids()]).toEqual([
    ['r1', 'r2'],
    ['r3', 'r4'],
  ]);
});

test('on a full disk nothing is torn, and it goes on when there is room', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can mount a small file system to fill');
  const { path, open, ids } = setUp();
  mkdirSync(dirname(path));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dirname(path)]);
  onTestFinished(() => {
    execFileSync('umount', ['-l', dirname(path)]);
  });
  const sink = await open();
  await sink.send(batchOf(['a']));
  writeFileSync(join(dirname(path), 'filler'), Buffer.alloc(48 << 10));
  expect(await sink.send(batchOf(numbered(1, 200), 100))).toMatchObject({ kind: 'retry', cause: 'error' });
  expect(ids()).toEqual(['a']);
  unlinkSync(join(dirname(path), 'filler'));
  expect(await sink.send(batchOf(numbered(1, 200), 100))).toEqual(DELIVERED);
  expect(ids()).toEqual(['a', ...numbered(1, 200)]);
});
