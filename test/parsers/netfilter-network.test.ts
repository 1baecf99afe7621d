import { expect, it } from 'vitest';
import type { FlowLine } from '../../parsers/line.ts';
import { syslogFormat } from '../../parsers/syslog.ts';

const parser = syslogFormat({
  input: 'syslog',
  node: 'node-1',
  prefixes: ['calico-packet'],
  dispositions: [],
  workloadInterfaces: ['cali'],
  mergePair: 'none',
}).open();

/** The networks that are written for a packet between two addresses. */
function networks(src: string, dest: string, networkOf: (address: string) => string | undefined) {
  const line = Buffer.from(
    `2026-11-21T10:00:00.000001+00:00 n kernel: calico-packet: IN=cali1 OUT=eth0 MAC= SRC=${src} DST=${dest} LEN=28 TOS=0x00 PREC=0x00 TTL=63 ID=1 PROTO=UDP SPT=1 DPT=2 LEN=8 `,
  );
  const flow = parser.parse(line, 0, line.length, Date.UTC(2026, 10, 21) * 1000) as FlowLine;
  const out = Buffer.alloc(4096);
  const end = flow.writeJson!(Buffer.from('id'), out, 0, enricherOf(networkOf));
  const record = JSON.parse(out.toString('utf8', 0, end));
  return [record.src.network, record.dest.network];
}

interface TestEnricher {
  enrich(): void;
  networkOf(address: string): string | undefined;
  networksVersion?: unknown;
}

const enrichers = new Map<unknown, TestEnricher>();
function enricherOf(networkOf: (address: string) => string | undefined) {
  const enricher = enrichers.get(networkOf) ?? { enrich: () => {}, networkOf };
  enrichers.set(networkOf, enricher);
  return enricher;
}

it('is that of the address, whatever was asked before', () => {
  const itself = (address: string) => `net of ${address}`;
  // Many more addresses than are remembered, so that they take each other's places.
  for (let i = 0; i < 20_000; i++) {
    const [src, dest] = [`10.${i & 255}.${i >> 8}.7`, `192.168.${i >> 8}.${i & 255}`];
    expect(networks(src, dest, itself)).toEqual([itself(src), itself(dest)]);
  }
});

it('is another one where the enricher is another one', () => {
  for (const name of ['one', 'two', undefined]) {
    const networkOf = () => name;
    for (let times = 0; times < 3; times++) {
      expect(networks('10.0.0.1', '8.8.8.8', networkOf)).toEqual([name, name]);
    }
  }
});

it.each([
  ['10.0.0.1', '8.8.8.8'],
  ['fd00::1', '2001:db8::1'],
])('is another one when the networks have changed: %s to %s', (src, dest) => {
  let name: string | undefined;
  const networkOf = () => name;
  for (name of ['one', undefined, 'two']) {
    enricherOf(networkOf).networksVersion = { name };
    for (let times = 0; times < 3; times++) {
      expect(networks(src, dest, networkOf)).toEqual([name, name]);
    }
  }
});
