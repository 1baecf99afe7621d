import { expect, it } from 'vitest';
import { ShapedSink } from '../../sinks/shaped-sink.ts';
import type { Batch, Outcome, Sink } from '../../sinks/sink.ts';

class KeepingSink implements Sink {
  readonly batches: Batch[] = [];
  opened = 0;
  closed = 0;
  async open(): Promise<void> {
    this.opened++;
  }
  async send(batch: Batch): Promise<Outcome> {
    this.batches.push(batch);
    return { kind: 'delivered', refused: [{ index: 1, reason: 'no' }] };
  }
  async close(): Promise<void> {
    this.closed++;
  }
}

function batchOf(values: Record<string, unknown>[]): Batch {
  const records = values.map((value) => ({
    json: Buffer.from(JSON.stringify(value)),
    value: () => value,
    originalJson: Buffer.from(JSON.stringify(value)),
    original: () => value,
  }));
  const ndjson = records.map(({ json }) => Buffer.from(`${json}\n`));
  return { count: values.length, bytes: Buffer.concat(ndjson).length, records, ndjson };
}

it('changes what the sink sees, and nothing else', async () => {
  const inner = new KeepingSink();
  const sink = new ShapedSink(inner, ({ packet: _, ...record }) => ({ ...record, where: 'ö' }));
  const values = [
    { id: 'a', packet: { ttl: 63 } },
    { id: 'b', packet: {} },
  ];
  await sink.open();
  const outcome = await sink.send(batchOf(values), new AbortController().signal);
  await sink.close();

  expect(outcome).toEqual({ kind: 'delivered', refused: [{ index: 1, reason: 'no' }] });
  const [batch] = inner.batches;
  const text = '{"id":"a","where":"ö"}\n{"id":"b","where":"ö"}\n';
  expect(Buffer.concat([...batch!.ndjson]).toString()).toBe(text);
  expect(batch).toMatchObject({ count: 2, bytes: Buffer.byteLength(text) });
  expect(batch!.records.map(({ json }) => json.toString())).toEqual(text.trimEnd().split('\n'));
  expect(batch!.records.map((record) => record.value().id)).toEqual(['a', 'b']);
  expect(batch!.records.map((record) => record.original())).toEqual(values);
  expect(inner).toMatchObject({ opened: 1, closed: 1 });
});

it('sends text as lines; who asks for a value gets the record', async () => {
  const inner = new KeepingSink();
  const sink = new ShapedSink(inner, ({ id }) => `ü ${id}`);
  const values = [{ id: 'a' }, { id: 'b' }];
  await sink.send(batchOf(values), new AbortController().signal);

  const [batch] = inner.batches;
  expect(Buffer.concat([...batch!.ndjson]).toString()).toBe('ü a\nü b\n');
  expect(batch!.records.map(({ json }) => json.toString())).toEqual(['ü a', 'ü b']);
  expect(batch!.records.map((record) => record.value())).toEqual(values);
});
