import fc from 'fast-check';
import { expect, test } from 'vitest';
import { enrichSchema } from '../../../agent/config/schema.ts';
import { Enrich } from '../../../agent/stages/enrich.ts';
import { Head, Heads } from '../../../agent/stages/heads.ts';
import { FlowView } from '../../helpers/model-flow.ts';

const enrich = new Enrich(enrichSchema.parse({}));

/** A head of about that many bytes, from a line or as text, and what it must say. */
function add(heads: Heads, bytes: number, fromLine: boolean, id: number): [head: Head, text: string] {
  const prefix = `é${'x'.repeat(bytes)}`;
  const head = new Head();
  if (!fromLine) {
    const text = `{"id":"${id}","prefix":"${prefix}"`;
    heads.ofText(head, text);
    return [head, text];
  }
  const line = new FlowView().of({ timeUs: 0, prefix });
  const out = Buffer.alloc(100_000 + bytes);
  const text = out.toString('utf8', 0, line.writeOpening(Buffer.from(`${id}`), out, 0, enrich));
  heads.ofLine(head, line, Buffer.from(`${id}`), enrich);
  return [head, text];
}

const step = fc.record({
  bytes: fc.oneof({ arbitrary: fc.nat(2000), weight: 30 }, { arbitrary: fc.nat(200_000), weight: 1 }),
  fromLine: fc.boolean(),
  /** Which of those that are kept is released then, from the oldest on; most often the oldest. */
  release: fc.option(fc.oneof(fc.constant(0), fc.nat(20))),
});

test('a head stays as it is until it is released, in whatever order others are', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const heads = new Heads();
      const kept: [head: Head, text: string][] = [];
      for (const [id, { bytes, fromLine, release }] of steps.entries()) {
        kept.push(add(heads, bytes, fromLine, id));
        if (release !== null) for (const [head] of kept.splice(release, 1)) head.release();
      }
      for (const [head, text] of kept) expect(head.toString()).toBe(text);
    }),
    { numRuns: 60 },
  );
});

test('what was released is used again: as much memory as heads are kept at a time', () => {
  const heads = new Heads();
  const kept: Head[] = [];
  const memory = new Set<ArrayBufferLike>();
  for (let id = 0; id < 20_000; id += 1) {
    const [head] = add(heads, 500, true, id);
    memory.add(head.view.buffer);
    kept.push(head);
    if (kept.length > 300) kept.shift()!.release();
  }
  const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(bytes).toBeLessThan(2 * 300 * 1000);
});
