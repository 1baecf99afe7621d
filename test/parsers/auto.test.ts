import { expect, test } from 'vitest';
import { autoFormat } from '../../parsers/auto.ts';
import { detectFormat } from '../../parsers/detect.ts';
import type { Format } from '../../parsers/line.ts';

/** Formats that say which of them was asked, and want a mark of their own in each line. */
const formatOf = (name: string): Format => ({
  name,
  needles: name === 'syslog' || name === 'kmsg' ? ['OUT='] : [],
  sequels: name === 'syslog' ? ['last message repeated '] : [],
  open: () => ({
    parse: () => ({ kind: 'log', timeUs: 0, toRecord: () => ({ id: name }) as never }),
    passedOver: () => {},
    save: () => undefined,
  }),
  save: () => null,
  restore: () => {},
});

test.each([
  ['Sep  5 08:00:00 n kernel: calico-packet: IN=a OUT=b SRC=1.2.3.4 ', 'syslog'],
  ['Sep  5 08:00:00 n kernel: last message repeated 3 times', 'syslog'],
  ['Sep  5 08:00:00 n kernel: calico-packet: IN=a', undefined],
  ['6,1,2,-;calico-packet: IN=a OUT=b ', 'kmsg'],
  ['6,1,2,-;calico-packet: IN=a', undefined],
  ['{"connection":{},"disposition":"deny"}', 'policy_action'],
  ['{"__REALTIME_TIMESTAMP":"1"}', 'journal'],
  ['{"start_time":1,"reporter":"src"}', 'flow_log'],
  ['1528842551 1528842851 wep dev rails-81531* - wep dev memcached-38456*', 'flow_log'],
  ['1 2 hep a', 'flow_log'],
  ['1 2 ns a', 'flow_log'],
  ['1 2 net a', 'flow_log'],
  ['{"other":1}', undefined],
  ['', undefined],
])('%j goes to %s', (text, expected) => {
  const format = autoFormat(formatOf);
  const bytes = Buffer.from(`x ${text} OUT=`);
  const parsed = format.open().parse(bytes, 2, 2 + text.length, 0);
  expect(parsed.kind === 'log' ? parsed.toRecord('').id : undefined).toBe(expected);
  // Whoever looks for these alone passes over no line that some format would take.
  if (expected === undefined) return;
  expect([...format.needles, ...format.sequels!].filter((needle) => text.includes(needle))).not.toEqual([]);
  expect(detectFormat(bytes, 2, 2 + text.length)).toBe(expected);
});
