import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { StdoutSink } from '../../sinks/stdout.ts';
import { batchOf, numbered, scatteredBatch } from './batch.ts';

const PIPE_BYTES = 64 << 10;

/** A pipe: both of its ends, not blocking where that is said. */
function pipe(writeFlags = 0): { reader: number; writer: number } {
  const folder = mkdtempSync(join(tmpdir(), 'stdout-'));
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(path, constants.O_WRONLY | writeFlags);
  rmSync(folder, { recursive: true });
  onTestFinished(() => closeSync(writer));
  return { reader, writer };
}

function readAll(fd: number): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(PIPE_BYTES);
    try {
      const bytes = readSync(fd, chunk);
      if (bytes === 0) break;
      chunks.push(chunk.subarray(0, bytes));
    } catch {
      break;
    }
  }
  return Buffer.concat(chunks).toString();
}

function setUp(fd: number) {
  const stops: string[] = [];
  return { stops, sink: new StdoutSink({ warn() {}, stop: (reason) => stops.push(reason) }, fd) };
}

test('records are written one a line', async () => {
  const { reader, writer } = pipe();
  const { sink } = setUp(writer);
  expect(await sink.send(batchOf(['a', 'b']))).toEqual({ kind: 'delivered' });
  expect(await sink.send(scatteredBatch(['c', 'd']))).toEqual({ kind: 'delivered' });
  expect(readAll(reader)).toBe('{"id":"a"}\n{"id":"b"}\n{"id":"c"}\n{"id":"d"}\n');
  closeSync(reader);
});

test('a slow reader holds up the batch, and nothing else', async () => {
  const { reader, writer } = pipe();
  const { sink } = setUp(writer);
  const batch = batchOf(numbered(1, 2000), 100);
  expect(batch.bytes).toBeGreaterThan(PIPE_BYTES * 2);
  let outcome: unknown;
  const sent = sink.send(batch).then((result) => {
    outcome = result;
  });
  let text = '';
  while (outcome === undefined) {
    await new Promise(setImmediate);
    text += readAll(reader);
  }
  await sent;
  text += readAll(reader);
  expect(outcome).toEqual({ kind: 'delivered' });
  expect(
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id),
  ).toEqual(numbered(1, 2000));
  closeSync(reader);
});

test('where the pipe does not block, a line that was torn is completed by the next batch', async () => {
  const { reader, writer } = pipe(constants.O_NONBLOCK);
  const { sink } = setUp(writer);
  const ids = numbered(1, 3000);
  let rest = ids;
  let text = '';
  let busy = 0;
  while (rest.length > 0) {
    const outcome = await sink.send(batchOf(rest, 90));
    if (outcome.kind === 'retry') {
      expect(outcome.cause).toBe('busy');
      busy++;
    } else if (outcome.kind === 'delivered') {
      rest = (outcome.again ?? []).map((index) => rest[index]!);
      if (rest.length > 0) busy++;
    }
    text += readAll(reader);
  }
  expect(busy).toBeGreaterThan(1);
  expect(
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id),
  ).toEqual(ids);
  closeSync(reader);
});

test('a reader that has gone asks for a clean stop', async () => {
  const { reader, writer } = pipe();
  closeSync(reader);
  const { sink, stops } = setUp(writer);
  expect(await sink.send(batchOf(['a']))).toMatchObject({ kind: 'retry' });
  expect(stops).toEqual(['standard output is closed']);
});

test('the real standard output of a process is written whole', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'print.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (bytes) => {
    text += bytes;
  });
  await once(child, 'close');
  expect(
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).id),
  ).toEqual(numbered(1, 5000));
});
