import { expect, test } from 'vitest';
import { originalText } from '../../sinks/original-text.ts';
import { batchOfRecords } from './outgoing.ts';

const idOf = originalText('id');

test.each([
  ['a text', { id: 'r1', body: { id: 'x' } }, 'r1'],
  ['a text behind others', { body: { id: 'x', list: [{ id: 'y' }] }, id: 'r1' }, 'r1'],
  ['a text with an escape', { id: 'a"b\\\n' }, 'a"b\\\n'],
  ['one that is only deeper down', { body: { id: 'x' } }, undefined],
  ['one within a text', { message: '"id":"x"' }, undefined],
  ['no text', { id: 7 }, undefined],
  ['none', {}, undefined],
])('%s', (_name, record, text) => {
  expect(idOf(batchOfRecords([record]).records[0]!)).toBe(text);
});

test('a record is not decoded for a plain text', () => {
  const [record] = batchOfRecords([{ id: 'r1' }]).records;
  const original = () => {
    throw new Error('decoded');
  };
  expect(
    idOf({ json: Buffer.from('{}'), originalJson: record!.originalJson, value: original, original }),
  ).toBe('r1');
});
