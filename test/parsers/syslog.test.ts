import { describe, expect, it } from 'vitest';
import { DIRECTIONS, packetDirection } from '../../parsers/direction.ts';
import type { FlowLine, ParsedLine } from '../../parsers/line.ts';
import { type SyslogOptions, syslogFormat } from '../../parsers/syslog.ts';
import { LocalZone } from '../../parsers/zone.ts';

const NOW_US = Date.UTC(2026, 10, 22) * 1000;
const OPTIONS: SyslogOptions = {
  input: 'syslog',
  node: 'node-1',
  prefixes: ['calico-packet', 'calico-drop'],
  dispositions: [],
  workloadInterfaces: ['cali'],
  mergePair: 'empty_prefix',
};

function packet(srcPort = 40_000, prefix = 'calico-packet: '): string {
  const addresses = 'SRC=10.244.1.2 DST=10.96.0.10 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=7 DF';
  return `${prefix}IN=cali1 OUT=eth0 MAC= ${addresses} PROTO=TCP SPT=${srcPort} DPT=80 WINDOW=1 RES=0x00 SYN URGP=0 `;
}

function reader(options: Partial<SyslogOptions> = {}, name = 'syslog') {
  const format = syslogFormat({ ...OPTIONS, ...options }, name);
  let parser = format.open();
  return {
    format,
    reopen: () => {
      parser = format.open(JSON.parse(JSON.stringify(parser.save())));
    },
    passOver: () => parser.passedOver(),
    read: (line: string, nowUs = NOW_US): ParsedLine => {
      const bytes = Buffer.from(line);
      return parser.parse(bytes, 0, bytes.length, nowUs);
    },
  };
}

function timeOf(parsed: ParsedLine): string {
  return (parsed as FlowLine).timestamp();
}

describe('timestamps without a year', () => {
  it.each([
    ['Dec 31 23:59:59', '2026-01-01T00:00:05Z', '2025-12-31T23:59:59Z'],
    ['Jan  1 00:00:01', '2026-01-01T00:00:05Z', '2026-01-01T00:00:01Z'],
    ['Jan  1 00:00:01', '2025-12-31T23:59:58Z', '2026-01-01T00:00:01Z'],
    ['Mar  3 00:00:01', '2026-03-01T00:00:00Z', '2025-03-03T00:00:01Z'],
    ['Feb 29 12:00:00', '2026-03-01T00:00:00Z', '2024-02-29T12:00:00Z'],
  ])('%s read at %s is %s', (stamp, now, expected) => {
    const { read } = reader();
    expect(timeOf(read(`${stamp} node-1 kernel: ${packet()}`, Date.parse(now) * 1000))).toBe(expected);
  });

  it.each([
    ['Europe/Berlin', 'Jul  1 12:00:00', '2026-07-01T10:00:00Z'],
    ['America/St_Johns', 'Jan  1 12:00:00', '2026-01-01T15:30:00Z'],
    ['Europe/Berlin', 'Mar 29 02:30:00', '2026-03-29T01:30:00Z'],
  ])('in %s, %s is %s', (timezone, stamp, expected) => {
    const { read } = reader({ timezone });
    expect(timeOf(read(`${stamp} node-1 kernel: ${packet()}`))).toBe(expected);
  });

  it('go on through the hour that the clock shows twice', () => {
    const { read } = reader({ timezone: 'Europe/Berlin' });
    const stamps = ['02:10:00', '02:59:59', '02:00:00', '02:30:00', '03:00:00'];
    const times = stamps.map((stamp) => timeOf(read(`Oct 25 ${stamp} node-1 kernel: ${packet()}`)));
    expect(times.map((time) => time.slice(11, 19))).toEqual([
      '00:10:00',
      '00:59:59',
      '01:00:00',
      '01:30:00',
      '02:00:00',
    ]);
  });

  it('are refused in a zone that does not exist', () => {
    expect(() => new LocalZone('Europe/Nowhere')).toThrow(RangeError);
  });
});

describe('repeated lines', () => {
  const line = `Sep  5 14:34:50 node-1 kernel: ${packet()}`;
  const again = 'Sep  5 14:34:51 node-1 last message repeated 3 times';

  it('stand for the line before, at their own time', () => {
    const { read } = reader();
    read(line);
    for (let i = 0; i < 2; i++) {
      const parsed = read(again);
      if (parsed.kind !== 'repeated') throw new Error(parsed.kind);
      expect(parsed.line.count).toBe(3);
      expect(parsed.line.bytes).toBe(180);
      expect(parsed.line.timestamp()).toBe('2026-09-05T14:34:51Z');
      expect(parsed.line.toRecord('x').connection.src_port).toBe(40_000);
    }
  });

  it('are known after a restart', () => {
    const { read, reopen } = reader();
    read(line);
    reopen();
    expect(read(again).kind).toBe('repeated');
  });

  it.each(['Sep  5 14:34:50 node-1 sshd[1]: x', 'Sep  5 14:34:50 node-1 kernel: calico-packet: x'])(
    'after %j are foreign',
    (between) => {
      const { read } = reader();
      read(line);
      read(between);
      expect(read(again).kind).toBe('foreign');
    },
  );

  it.each([1, 2])(
    'stand for the line before also when its bytes were written over, %i times settled',
    (times) => {
      const parser = syslogFormat(OPTIONS).open();
      const buffer = Buffer.from(line);
      parser.parse(buffer, 0, buffer.length, NOW_US);
      for (let i = 0; i < times; i++) parser.settle!();
      buffer.fill('x');
      const bytes = Buffer.from(again);
      const parsed = parser.parse(bytes, 0, bytes.length, NOW_US);
      if (parsed.kind !== 'repeated') throw new Error(parsed.kind);
      expect(parsed.line.toRecord('x').connection).toMatchObject({ src_ip: '10.244.1.2', src_port: 40_000 });
    },
  );

  it('after lines that the reader passed over are foreign', () => {
    const { read, passOver } = reader();
    read(line);
    passOver();
    expect(read(again).kind).toBe('foreign');
  });
});

describe('both lines of one packet', () => {
  const at = (us: string, message: string) => `Sep  5 14:34:50 node-1 kernel: [  100.${us}] ${message}`;
  const kinds = (mergePair: SyslogOptions['mergePair'], lines: string[]) => {
    const { read } = reader({ mergePair });
    return lines.map((line) => read(line).kind);
  };

  it.each([
    ['none', ['flow', 'foreign', 'flow']],
    ['empty_prefix', ['flow', 'merged', 'flow']],
    ['all', ['flow', 'merged', 'flow']],
  ] as const)('with %s: an echo without prefix', (mergePair, expected) => {
    const lines = [at('000001', packet()), at('000009', packet(40_000, '')), at('900000', packet())];
    expect(kinds(mergePair, lines)).toEqual(expected);
  });

  it.each([
    ['none', ['flow', 'flow', 'flow', 'flow']],
    ['empty_prefix', ['flow', 'flow', 'flow', 'flow']],
    ['all', ['flow', 'flow', 'merged', 'merged']],
  ] as const)('with %s: egress and ingress, another packet’s lines between', (mergePair, expected) => {
    const lines = [
      at('000001', packet(1)),
      at('000002', packet(2)),
      at('000011', packet(1)),
      at('000012', packet(2)),
    ];
    expect(kinds(mergePair, lines)).toEqual(expected);
  });

  it('an echo of nothing is foreign', () => {
    expect(kinds('all', [at('000001', packet(1)), at('000009', packet(2, ''))])).toEqual(['flow', 'foreign']);
    expect(kinds('all', [at('000001', packet(1)), at('002009', packet(1, ''))])).toEqual(['flow', 'foreign']);
  });
});

describe('replays', () => {
  const ring = Array.from({ length: 50 }, (_, i) => `[  ${100 + i}.000001] ${packet(i + 1)}`);
  const written = (time: string, message: string) => `Sep  5 ${time} node-1 kernel: ${message}`;

  it('are dropped, also after a restart of the agent, and in the next file', () => {
    const one = reader();
    for (const [i, message] of ring.entries()) {
      expect(one.read(written(`14:00:${String(i).padStart(2, '0')}`, message)).kind).toBe('flow');
    }
    const next = reader();
    next.format.restore(JSON.parse(JSON.stringify(one.format.save())));
    for (const message of ring) {
      expect(next.read(written('14:30:00', message))).toEqual({ kind: 'dropped', reason: 'replayed' });
    }
  });

  it('of one host say nothing of another', () => {
    const { read } = reader();
    const message = ring[0]!;
    expect(read(`Sep  5 14:00:00 node-1 kernel: ${message}`).kind).toBe('flow');
    expect(read(`Sep  5 14:00:00 node-2 kernel: ${message}`).kind).toBe('flow');
    expect(read(`Sep  5 14:00:00 node-1 kernel: ${message}`).kind).toBe('dropped');
  });

  it('cannot be told where no stamp is', () => {
    const { read } = reader();
    for (const time of ['14:00:00', '14:30:00']) {
      expect(read(`Sep  5 ${time} node-1 kernel: ${packet()}`).kind).toBe('flow');
    }
  });
});

describe('the journal as JSON', () => {
  const entry = (fields: object) =>
    JSON.stringify({
      _TRANSPORT: 'kernel',
      MESSAGE: packet(),
      __REALTIME_TIMESTAMP: '1788618880500000',
      __MONOTONIC_TIMESTAMP: '158271544316',
      _SOURCE_MONOTONIC_TIMESTAMP: '158271044316',
      ...fields,
    });

  it('gives the time at which the kernel wrote the line', () => {
    const parsed = reader({}, 'journal').read(entry({}));
    expect(timeOf(parsed)).toBe('2026-09-05T14:34:40.000000Z');
    expect((parsed as FlowLine).toRecord('x').source).toEqual({ input: 'syslog', format: 'journal' });
  });

  it.each([
    [entry({ MESSAGE: [...Buffer.from(packet())] }), 'flow'],
    [entry({ _TRANSPORT: 'syslog' }), 'foreign'],
    [entry({ MESSAGE: 'something else' }), 'foreign'],
    [entry({ MESSAGE: null }), 'foreign'],
    [entry({ __REALTIME_TIMESTAMP: undefined }), 'unparsable'],
    ['{"MESSAGE":', 'unparsable'],
    [`Sep 05 14:34:40 node-1 kernel: ${packet()}`, 'flow'],
  ])('%j is %s', (line, kind) => {
    expect(reader({}, 'journal').read(line).kind).toBe(kind);
  });
});

describe('direction', () => {
  it.each([
    ['cali1', 'eth0', 'egress'],
    ['eth0', 'cali1', 'ingress'],
    ['cali1', 'cali2', undefined],
    ['cali1', '', 'egress'],
    ['', 'cali1', 'ingress'],
    ['eth0', '', 'ingress'],
    ['', 'eth0', 'egress'],
    ['eth0', 'eth1', undefined],
    ['', '', undefined],
    ['lo', '', undefined],
    ['tunl0', 'cali1', 'ingress'],
    ['cali1', 'vxlan.calico', 'egress'],
    ['wireguard.cali', 'cali1', 'ingress'],
    ['cali', 'ca', 'egress'],
  ])('from %j to %j is %s', (from, to, expected) => {
    const bytes = Buffer.from(from + to);
    const end = from.length + to.length;
    const direction = packetDirection(bytes, 0, from.length, from.length, end, [Buffer.from('cali')]);
    expect(DIRECTIONS[direction]).toBe(expected);
  });
});
