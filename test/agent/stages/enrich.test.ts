import { describe, expect, test } from 'vitest';
import type { Claim } from '../../../agent/kubernetes/address-book.ts';
import { Enrich, type Identity } from '../../../agent/stages/enrich.ts';
import { Head, Heads } from '../../../agent/stages/heads.ts';
import type { Found, Holder } from '../../../agent/stages/holder.ts';
import { NetworkTable, namedNetworks } from '../../../agent/stages/network-table.ts';
import { headOf } from '../../../agent/stages/open-window.ts';
import type { FlowLine } from '../../../parsers/line.ts';
import { policyActionFormat } from '../../../parsers/policy-action.ts';
import type { FlowRecord } from '../../../parsers/record.ts';
import { syslogFormat } from '../../../parsers/syslog.ts';

const syslog = syslogFormat({
  input: 'syslog',
  node: 'node-1',
  prefixes: ['calico-packet'],
  dispositions: [],
  workloadInterfaces: ['cali'],
  mergePair: 'none',
}).open();
const policyAction = policyActionFormat({ input: 'gke', node: 'node-1', dispositions: [] }).open();
const T = Date.UTC(2026, 10, 21, 10) * 1000;

const web: Holder = {
  kind: 'pod',
  name: 'wéb-0',
  namespace: 'shop',
  workload: { kind: 'ReplicaSet', name: 'web', controller: { kind: 'Deployment', name: 'web-all' } },
  labels: { app: 'web' },
};
const db: Holder = { kind: 'pod', name: 'db-0', namespace: 'shop', workload: undefined, labels: undefined };

function claim(holder: Holder, fromUs = 0, untilUs = Number.POSITIVE_INFINITY): Found {
  const address = '';
  const held: Claim = { holder, address, isLocal: true, fromUs, untilUs };
  return { holder, by: 'ip', claim: held };
}

/** Knows who addresses are, and pods by their interfaces. */
function identity(known: Record<string, Found>, more: Partial<Identity> = {}): Identity {
  return {
    who: (address, interfaceName) => {
      const byInterface = known[interfaceName ?? ''];
      return byInterface ? { ...byInterface, by: 'interface', claim: undefined } : known[address];
    },
    networkSets: undefined,
    candidates: undefined,
    ...more,
  };
}

function enrichOf(known: Record<string, Found>, more?: Partial<Identity>): Enrich {
  return new Enrich(
    { networks: [{ name: 'office', cidrs: ['203.0.113.0/24'] }] } as never,
    identity(known, more),
  );
}

function kernelLine(src: string, dest: string, interfaces = 'IN=eth0 OUT=cali2'): FlowLine {
  const line = Buffer.from(
    `2026-11-21T10:00:00.000001+00:00 n kernel: calico-packet: ${interfaces} MAC= SRC=${src} DST=${dest} LEN=28 TOS=0x00 PREC=0x00 TTL=63 ID=1 PROTO=UDP SPT=1 DPT=2 LEN=8`,
  );
  return syslog.parse(line, 0, line.length, T) as FlowLine;
}

function gkeLine(src: object, dest: object): FlowLine {
  const line = Buffer.from(
    JSON.stringify({
      connection: { src_ip: '10.0.0.1', dest_ip: '10.0.0.2', protocol: 'tcp', direction: 'ingress' },
      disposition: 'deny',
      src,
      dest,
      count: 1,
      node_name: 'node-1',
      timestamp: '2026-11-21T10:00:00Z',
    }),
  );
  return policyAction.parse(line, 0, line.length, T) as FlowLine;
}

/** The record as it is enriched; what is written straight from the line must be the same. */
function enriched(line: FlowLine, enrich: Enrich): FlowRecord {
  const out = Buffer.alloc(4096);
  const end = line.writeJson!(Buffer.from('id'), out, 0, enrich);
  const record = line.toRecord('id');
  const holds = enrich.enrich(record, line.timeUs);
  const { candidate_policies: _, ...written } = record;
  expect(out.toString('utf8', 0, end)).toBe(JSON.stringify(written));
  if (line.writeOpening !== undefined) {
    const head = new Head();
    const headHolds = enrich.open(line, Buffer.from('id'), new Heads(), head);
    expect(head.toString()).toBe(headOf(written));
    const times = [T - 1, T, T + 1, Number.POSITIVE_INFINITY];
    expect(times.map((timeUs) => headHolds?.(timeUs))).toEqual(times.map((timeUs) => holds?.(timeUs)));
  }
  return record;
}

describe('names', () => {
  test("are GKE's, in its order", () => {
    const { src, dest } = enriched(kernelLine('10.0.0.1', '10.0.0.2'), enrichOf({ '10.0.0.1': claim(web) }));
    expect(JSON.stringify(src)).toBe(
      '{"pod_name":"wéb-0","namespace":"shop","pod_namespace":"shop","workload_name":"web-all","workload_kind":"Deployment","labels":{"app":"web"},"resolved_by":"ip"}',
    );
    expect(dest).toEqual({ instance: '10.0.0.2', network: 'private' });
  });

  test('of a node and of a service', () => {
    const node: Holder = { kind: 'node', name: 'node-7' };
    const dns: Holder = { kind: 'service', name: 'dns', namespace: 'kube-system' };
    const enrich = enrichOf({ '10.0.0.1': claim(node), 'fd00::a': claim(dns) });
    expect(enriched(kernelLine('10.0.0.1', '10.0.0.2'), enrich).src).toEqual({
      node_name: 'node-7',
      workload_kind: 'Node',
      resolved_by: 'ip',
    });
    expect(enriched(kernelLine('fd00:0:0::1', 'fd00:0:0::a'), enrich).dest).toEqual({
      namespace: 'kube-system',
      workload_name: 'dns',
      workload_kind: 'Service',
      resolved_by: 'ip',
    });
  });

  test('the interface that a packet came in by is the source, the one it goes out by the destination', () => {
    const enrich = enrichOf({ cali1: claim(web), cali2: claim(db) });
    const { src, dest } = enriched(kernelLine('10.0.0.1', '10.0.0.2', 'IN=cali1 OUT=cali2'), enrich);
    expect([src.pod_name, src.resolved_by]).toEqual(['wéb-0', 'interface']);
    expect([dest.pod_name, dest.resolved_by]).toEqual(['db-0', 'interface']);
    const bridged = kernelLine('10.0.0.1', '10.0.0.2', 'IN=br0 OUT=br0 PHYSIN=cali2 PHYSOUT=eth0');
    expect(enriched(bridged, enrich).src.pod_name).toBe('db-0');
  });

  test('that come with a line are kept, and so is what it calls an instance', () => {
    const enrich = enrichOf({ '10.0.0.1': claim(web), '10.0.0.2': claim(web) });
    const record = enriched(gkeLine({ pod_name: 'own', namespace: 'n' }, { instance: '10.0.0.2' }), enrich);
    expect(record.src).toEqual({ pod_name: 'own', namespace: 'n', resolved_by: 'upstream' });
    expect(record.dest).toEqual({ instance: '10.0.0.2', network: 'private' });
    const half = enriched(gkeLine({ namespace: 'n' }, {}), enrich);
    expect(half.src).toMatchObject({ namespace: 'n', resolved_by: 'upstream', instance: '10.0.0.1' });
    expect(half.dest).toMatchObject({ pod_name: 'wéb-0', resolved_by: 'ip' });
  });

  test('hold as long as the address is whose it was', () => {
    const record = kernelLine('10.0.0.1', '10.0.0.2').toRecord('id');
    const holds = enrichOf({ '10.0.0.1': claim(web, T - 5, T + 5), '10.0.0.2': claim(db) }).enrich(
      record,
      T,
    )!;
    expect([T - 6, T - 5, T + 5, T + 6].map(holds)).toEqual([false, true, true, false]);
    const other = kernelLine('10.0.0.1', '10.0.0.2', 'IN=cali1 OUT=cali2').toRecord('id');
    expect(enrichOf({ cali1: claim(web), cali2: claim(db) }).enrich(other, T)).toBeUndefined();
  });
});

describe('networks', () => {
  test('the longest counts, configured or of a set; of two alike the configured one', () => {
    const sets = new NetworkTable([
      ...namedNetworks('set', '203.0.113.128/25'),
      ...namedNetworks('set', '203.0.113.0/24'),
      ...namedNetworks('one', '2001:db8::1'),
    ]);
    const enrich = enrichOf({}, { networkSets: sets });
    const networks = (address: string) => enriched(kernelLine(address, address), enrich).src.network;
    expect(networks('203.0.113.7')).toBe('office');
    expect(networks('203.0.113.200')).toBe('set');
    expect(networks('2001:db8::1')).toBe('one');
    expect(networks('2001:db8::2')).toBe('public');
    expect(networks('10.1.1.1')).toBe('private');
  });

  test('a changed set counts from then on', () => {
    const changing = { ...identity({}), networkSets: new NetworkTable(namedNetworks('before', '9.9.9.9')) };
    const enrich = new Enrich({ networks: [] } as never, changing);
    expect(enriched(kernelLine('10.0.0.1', '9.9.9.9'), enrich).dest.network).toBe('before');
    changing.networkSets = new NetworkTable(namedNetworks('after', '9.9.9.0/24'));
    expect(enriched(kernelLine('10.0.0.1', '9.9.9.9'), enrich).dest.network).toBe('after');
  });
});

describe('candidate policies', () => {
  const asked: string[] = [];
  const candidates: Identity['candidates'] = (namespace, pod, direction) => {
    asked.push(`${namespace}/${pod} ${direction}`);
    return [{ name: 'default-deny', namespace }];
  };

  test('are those of the enforced pod', () => {
    const enrich = enrichOf({ cali2: claim(db) }, { candidates });
    const record = enriched(kernelLine('10.0.0.1', '10.0.0.2'), enrich);
    expect(record.candidate_policies).toEqual([{ name: 'default-deny', namespace: 'shop' }]);
    expect(asked).toEqual(['shop/db-0 ingress']);
    expect(record.policies).toBeUndefined();
  });

  test('are not told of what was allowed, of no direction, and of nobody', () => {
    const enrich = enrichOf({ cali1: claim(web), cali2: claim(db) }, { candidates });
    const both = enriched(kernelLine('10.0.0.1', '10.0.0.2', 'IN=cali1 OUT=cali2'), enrich);
    expect(both.candidate_policies).toBeUndefined();
    expect(
      enriched(kernelLine('10.0.0.1', '10.0.0.2', 'IN=eth0 OUT='), enrich).candidate_policies,
    ).toBeUndefined();
    const allowed = kernelLine('10.0.0.1', '10.0.0.2').toRecord('id');
    allowed.disposition = 'allow';
    enrich.enrich(allowed, T);
    expect(allowed.candidate_policies).toBeUndefined();
  });
});
