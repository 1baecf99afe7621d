import { describe, expect, test } from 'vitest';
import { compileSample } from '../../../agent/stages/sample.ts';
import { compileShape } from '../../../agent/stages/shape.ts';

describe('sampling', () => {
  const records = Array.from({ length: 20_000 }, (_, index) => ({
    id: `f3a9-${index}`,
    disposition: 'allow',
  }));

  test('keeps about one in ten allows, and the same ones each time', () => {
    const kept = records.filter(compileSample(10));
    expect(kept.length).toBeGreaterThan(1800);
    expect(kept.length).toBeLessThan(2200);
    expect(records.filter(compileSample(10))).toEqual(kept);
  });

  test('keeps everything that is not an allow', () => {
    const others = records.map((record, index) => ({
      ...record,
      disposition: index % 2 ? 'deny' : 'unknown',
    }));
    expect(others.filter(compileSample(10)).length).toBe(20_000);
    expect(compileSample(1000)({ id: 'x', log_type: 'summary' } as object)).toBe(true);
  });

  test('one in one is all', () => {
    expect(records.filter(compileSample(1)).length).toBe(20_000);
  });
});

describe('shape', () => {
  const record = {
    id: 'a',
    connection: { src_ip: '10.0.0.1', dest_ip: '10.0.0.2' },
    src: { pod_namespace: 'x', namespace: 'x' },
    packet: { ttl: 63 },
    policies: [{ name: 'p' }],
  };

  test.each<[string, string[], Record<string, string>, object]>([
    [
      'drops fields at any depth',
      ['packet', 'src.pod_namespace', 'policies'],
      {},
      { id: 'a', connection: record.connection, src: { namespace: 'x' } },
    ],
    ['passes over what is not there', ['nothing', 'src.no.such', 'id.x'], { none: 'some' }, record],
    [
      'renames into and out of objects',
      ['src', 'packet', 'policies'],
      { 'connection.src_ip': 'client.ip', id: 'connection.id' },
      { connection: { dest_ip: '10.0.0.2', id: 'a' }, client: { ip: '10.0.0.1' } },
    ],
    [
      'lets an emptied object go',
      ['packet.ttl', 'src', 'policies'],
      { 'connection.src_ip': 'a', 'connection.dest_ip': 'b' },
      { id: 'a', a: '10.0.0.1', b: '10.0.0.2' },
    ],
  ])('%s', (_, drop, rename, expected) => {
    const before = structuredClone(record);
    expect(compileShape({ drop, rename })(record)).toEqual(expected);
    expect(record).toEqual(before);
  });

  test('no name reaches what all objects have', () => {
    compileShape({ drop: ['__proto__.toString'], rename: { id: '__proto__.polluted' } })({ id: 'a' });
    expect({}).not.toHaveProperty('polluted');
    expect(Object.prototype.toString).toBeTypeOf('function');
  });
});
