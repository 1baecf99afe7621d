import { expect, test } from 'vitest';
import { type DetectableFormat, detectFormat } from '../../parsers/detect.ts';

const LINES: [DetectableFormat | undefined, string][] = [
  ['policy_action', '{"connection":{"src_ip":"10.0.0.1"},"disposition":"deny"}'],
  ['policy_action', ' { "disposition" : "deny", "connection" : {} }'],
  ['policy_action', '{"connection":{"src_ip":"10.0.0.1"},"disposi'],
  ['flow_log', '{"start_time":1597164816,"end_time":1597165131,"reporter":"src"}'],
  [
    'flow_log',
    '1528842551 1528842851 wep dev rails-81531* - wep dev memcached-38456* - - - 6 - 3000 7 3 4 out 1 1 1 1 allow',
  ],
  [
    'journal',
    '{"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1597164816000000","MESSAGE":"calico-packet: IN=eth0 OUT="}',
  ],
  ['kmsg', '4,1234,567890123,-;calico-packet: IN=eth0 OUT='],
  ['kmsg', '6,339,5140900,-,caller=T1;NET: Registered'],
  ['syslog', 'Jun 16 03:10:37 n1 kernel: calico-packet: IN=eth0 OUT='],
  ['syslog', '2026-11-21T10:00:00.123456+00:00 n1 kernel: calico-packet: IN=eth0 OUT='],
  ['syslog', '<4>Jun 16 03:10:37 n1 kernel: calico-packet: IN=eth0 OUT='],
  ['syslog', '[ 1234.567890] calico-packet: IN=eth0 OUT='],
  ['syslog', '1528842551 1528842851 pods'],
  ['syslog', ''],
  ['syslog', '4'],
  [undefined, '{"level":"info"}'],
  [undefined, '{'],
];

test.each(LINES)('%s: %s', (format, line) => {
  const bytes = Buffer.from(`{"connection" wep ${line}"connection":"disposition"`);
  const start = bytes.length - Buffer.byteLength(line) - '"connection":"disposition"'.length;
  expect(detectFormat(bytes, start, start + Buffer.byteLength(line))).toBe(format);
});
