import { expect, test } from 'vitest';
import { showRecord } from '../demo/show-record.ts';

const denied = JSON.stringify({
  timestamp: '2026-09-05T08:00:00.5Z',
  disposition: 'deny',
  connection: { src_ip: '10.0.0.1', src_port: 1, dest_ip: '2001:db8::1', dest_port: 53, protocol: 'udp' },
  src: { pod_name: 'web-7f', namespace: 'shop' },
  dest: { instance: '2001:db8::1' },
  count: 4,
  prefix: 'calico-drop',
});

test('a record is one line: time, disposition, source, destination, count, prefix', () => {
  expect(showRecord(denied, 100, false)).toMatch(
    /^08:00:00\.500 {2}deny {5} +shop\/web-7f → \[2001:db8::1\]:53\/udp +×4 +calico-drop$/,
  );
});

test('policies stand instead of the prefix where there are any', () => {
  const record = JSON.stringify({
    ...JSON.parse(denied),
    policies: [{ name: 'p', namespace: 'shop' }, { name: '' }],
  });
  expect(showRecord(record, 100, false)).toMatch(/ shop\/p$/);
});

test.each([60, 72, 80, 100, 132, 200])('a line fits into %i columns, whatever the names', (columns) => {
  const record = JSON.stringify({
    ...JSON.parse(denied),
    src: { pod_name: 'a-very-long-workload-name-'.repeat(4), namespace: 'shop' },
    dest: { pod_name: 'another-very-long-workload-name-'.repeat(4), namespace: 'shop' },
    policies: [{ name: 'a-policy-with-a-long-name'.repeat(5) }],
  });
  const line = showRecord(record, columns, false)!;
  expect(line.length).toBeLessThanOrEqual(Math.max(columns, 70));
  expect(line).toContain(':53/udp');
});

test('colours are written only when asked for', () => {
  expect(showRecord(denied, 100, false)).not.toContain('\u001b');
  expect(showRecord(denied, 100, true)).toContain('\u001b[31mdeny');
});

test('what is no connection is not shown', () => {
  expect(showRecord('{"log_type":"summary"}', 80, false)).toBeUndefined();
});
