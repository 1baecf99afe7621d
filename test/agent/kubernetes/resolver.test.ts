import { describe, expect, test } from 'vitest';
import { AddressBook } from '../../../agent/kubernetes/address-book.ts';
import { Holders } from '../../../agent/kubernetes/holders.ts';
import { readNode, readService } from '../../../agent/kubernetes/nodes-and-services.ts';
import { Pods } from '../../../agent/kubernetes/pods.ts';
import { Resolver } from '../../../agent/kubernetes/resolver.ts';
import { apiTime, podObject } from '../../helpers/kubernetes-objects.ts';

const KEEP_S = 600;
const A = '10.1.0.7';
const B = '10.1.0.8';

/** The cache of one node, with times in seconds. */
class Cache {
  readonly book = new AddressBook(KEEP_S * 1e6, 1000);
  readonly pods = new Pods(
    { node: 'here', keepUs: KEEP_S * 1e6, podsMax: 1000, labels: [], keepsAllLabels: false },
    this.book,
  );
  readonly resolver = new Resolver(this.pods, this.book, KEEP_S * 1e6);

  put(at: number, idea: Parameters<typeof podObject>[0]) {
    this.pods.put(podObject(idea), at * 1e6);
  }

  remove(at: number, idea: Parameters<typeof podObject>[0]) {
    this.pods.remove(podObject(idea), at * 1e6);
  }

  expire(at: number) {
    this.book.expire(at * 1e6);
    this.pods.expire(at * 1e6);
  }

  /** `namespace/name` and how it was found, or why it was not. */
  who(address: string, at: number, interfaceName?: string): string {
    const found = this.resolver.find(address, interfaceName, at * 1e6);
    if (typeof found === 'string') return found;
    const { holder, by } = found;
    return `${holder.kind === 'node' ? 'node' : holder.namespace}/${holder.name} by ${by}`;
  }
}

describe('by address, at the time of the event', () => {
  test('an address that is used again within 10 s is the first pod, nobody, then the second', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', name: 'old', ips: [A], ready: 100 });
    cache.put(200, { uid: 'a', name: 'old', ips: [A], ready: 100, asked: 200 });
    cache.remove(205, { uid: 'a', name: 'old', ips: [A], finished: 204, asked: 200, phase: 'Failed' });
    cache.put(212, { uid: 'b', name: 'new', ips: [A], ready: 210 });
    expect(cache.who(A, 203.9)).toBe('shop/old by ip');
    expect(cache.who(A, 204.5)).toBe('other_time');
    expect(cache.who(A, 210.5)).toBe('other_time');
    expect(cache.who(A, 211.1)).toBe('shop/new by ip');
    expect(cache.who(A, 300)).toBe('shop/new by ip');
  });

  test('a line that comes late names the pod of its time, however late, until that is forgotten', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', ips: [A], ready: 100 });
    cache.remove(205, { uid: 'a', ips: [A], started: 100, finished: 204, phase: 'Succeeded' });
    cache.expire(205 + KEEP_S - 1);
    expect(cache.who(A, 150)).toBe('shop/web by ip');
    cache.expire(205 + KEEP_S);
    expect(cache.who(A, 150)).toBe('unknown');
  });

  test('a pod is not blamed for what was before it had its address', () => {
    const cache = new Cache();
    cache.put(101, { ips: [A], ready: 100 });
    expect(cache.who(A, 99)).toBe('other_time');
    expect(cache.who(A, 100.5)).toBe('other_time');
    expect(cache.who(A, 101)).toBe('shop/web by ip');
  });

  test('without the network-ready condition the last start of a running container tells', () => {
    const cache = new Cache();
    cache.put(150, { ips: [A], started: 120 });
    expect(cache.who(A, 119)).toBe('other_time');
    expect(cache.who(A, 121)).toBe('shop/web by ip');
  });

  test('without either, the pod has its address since it was heard of', () => {
    const cache = new Cache();
    cache.put(150, { ips: [A] });
    expect(cache.who(A, 149)).toBe('other_time');
    expect(cache.who(A, 150)).toBe('shop/web by ip');
  });

  test('a pod that was asked to end is named after that only as far as its status proves', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', ips: [A], ready: 100 });
    cache.put(200, { uid: 'a', ips: [A], ready: 100, asked: 200 });
    expect(cache.who(A, 195)).toBe('shop/web by ip');
    expect(cache.who(A, 202)).toBe('other_time');
    cache.remove(211, { uid: 'a', ips: [A], finished: 210, phase: 'Succeeded', asked: 200 });
    expect(cache.who(A, 202)).toBe('shop/web by ip');
    expect(cache.who(A, 211)).toBe('other_time');
  });

  test('a pod that ran to completion lets its address go then, not when it is deleted', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', ips: [A], ready: 100 });
    cache.put(161, { uid: 'a', ips: [A], started: 100, finished: 160, phase: 'Succeeded' });
    expect(cache.who(A, 159)).toBe('shop/web by ip');
    expect(cache.who(A, 165)).toBe('other_time');
    cache.put(180, { uid: 'b', name: 'next', ips: [A], ready: 178 });
    expect(cache.who(A, 185)).toBe('shop/next by ip');
  });

  test('one that had completed before it was first seen is known for the time that it proves', () => {
    const cache = new Cache();
    cache.put(500, { ips: [A], started: 100, finished: 160, phase: 'Succeeded' });
    expect(cache.who(A, 130)).toBe('shop/web by ip');
    expect(cache.who(A, 170)).toBe('other_time');
  });

  test('an evicted pod, whose status proves nothing, ends when it was last known to run', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', ips: [A], ready: 100 });
    cache.put(200, { uid: 'a', ips: [A], phase: 'Failed' });
    expect(cache.who(A, 195)).toBe('shop/web by ip');
    expect(cache.who(A, 199)).toBe('other_time');
  });

  test('a pod that is deleted by force was there until then', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', ips: [A], ready: 100 });
    cache.remove(200, { uid: 'a', ips: [A], ready: 100 });
    expect(cache.who(A, 190)).toBe('shop/web by ip');
    expect(cache.who(A, 200)).toBe('other_time');
  });

  test('what a new list does not have ended after the old watch was last heard of', () => {
    const cache = new Cache();
    cache.pods.beginList();
    cache.put(100, { uid: 'a', ips: [A], ready: 50 });
    cache.put(100, { uid: 'b', name: 'stays', ips: [B], ready: 50 });
    cache.pods.endList(100e6);
    cache.pods.contact(300e6);
    cache.pods.beginList();
    cache.put(400, { uid: 'b', name: 'stays', ips: [B], ready: 50 });
    cache.pods.endList(400e6);
    expect(cache.who(A, 290)).toBe('shop/web by ip');
    expect(cache.who(A, 310)).toBe('other_time');
    expect(cache.who(B, 350)).toBe('shop/stays by ip');
    expect(cache.pods.size).toBe(1);
  });

  test('both addresses of a pod of two families are its own', () => {
    const cache = new Cache();
    cache.put(101, { ips: [A, 'FD00:0:0::7'], ready: 100 });
    expect(cache.who(A, 150)).toBe('shop/web by ip');
    expect(cache.who('fd00::7', 150)).toBe('shop/web by ip');
  });

  test("a pod on the host's network claims nothing", () => {
    const cache = new Cache();
    cache.put(101, { ips: ['192.168.0.4'], hostNetwork: true, ready: 100 });
    expect(cache.who('192.168.0.4', 150)).toBe('unknown');
  });

  test('an address that two claim at one time has no name', () => {
    const cache = new Cache();
    cache.put(101, { name: 'one', ips: [A], ready: 100 });
    cache.put(201, { name: 'two', ips: [A], ready: 200 });
    expect(cache.who(A, 150)).toBe('shop/one by ip');
    expect(cache.who(A, 250)).toBe('ambiguous');
  });

  test('a sandbox that was made anew: the old address until that was told, the new one from when it is', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', ips: [A], started: 100 });
    cache.put(300, { uid: 'a', ips: [B], started: 100 });
    expect(cache.who(A, 200)).toBe('shop/web by ip');
    expect(cache.who(A, 299)).toBe('other_time');
    expect(cache.who(B, 299)).toBe('other_time');
    expect(cache.who(B, 301)).toBe('shop/web by ip');
  });

  test('a pod whose sandbox is down has no address, whatever its status still says', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', ips: [A], ready: 100 });
    cache.put(300, { uid: 'a', ips: [A], ready: 299, isDown: true });
    expect(cache.who(A, 310)).toBe('other_time');
    cache.put(320, { uid: 'a', ips: [A], ready: 318 });
    expect(cache.who(A, 200)).toBe('shop/web by ip');
    expect(cache.who(A, 310)).toBe('other_time');
    expect(cache.who(A, 321)).toBe('shop/web by ip');
  });

  test("Calico's annotation gives an address before the status does, and takes it back", () => {
    const cache = new Cache();
    const annotations = { 'cni.projectcalico.org/podIPs': `${A}/32,fd00::7/128` };
    cache.put(110, { uid: 'a', annotations });
    expect(cache.who(A, 111)).toBe('shop/web by ip');
    expect(cache.who('fd00::7', 111)).toBe('shop/web by ip');
    cache.put(200, { uid: 'a', ips: [A], ready: 109, annotations });
    cache.put(300, { uid: 'a', ips: [A], ready: 109, annotations: { 'cni.projectcalico.org/podIPs': '' } });
    expect(cache.who(A, 250)).toBe('shop/web by ip');
    expect(cache.who(A, 301)).toBe('other_time');
    cache.put(320, { uid: 'a', ips: [A], annotations: { 'cni.projectcalico.org/podIPs': `${B}/32` } });
    expect(cache.who(A, 330)).toBe('other_time');
    expect(cache.who(B, 330)).toBe('shop/web by ip');
  });

  test("other nodes' times are taken with a margin, which grows with the skew that was seen", () => {
    const cache = new Cache();
    cache.put(200, { ips: [A], ready: 99, node: 'there' });
    expect(cache.who(A, 100.9)).toBe('other_time');
    expect(cache.who(A, 101)).toBe('shop/web by ip');
    cache.resolver.observeSkew(-30e6, 200e6);
    expect(cache.who(A, 130)).toBe('other_time');
    expect(cache.who(A, 131)).toBe('shop/web by ip');
    cache.resolver.observeSkew(0, (200 + KEEP_S) * 1e6);
    expect(cache.who(A, 101)).toBe('shop/web by ip');
  });

  test('a time that the clock showed twice is nobody who was not there both times', () => {
    const cache = new Cache();
    cache.put(101, { name: 'long', ips: [A], ready: 100 });
    cache.resolver.observe(1000e6, 0);
    cache.resolver.observe(1010e6, 10e6);
    // Set back by 100 s.
    cache.resolver.observe(911e6, 11e6);
    cache.put(950, { name: 'short', ips: [B], ready: 940 });
    expect(cache.who(A, 950)).toBe('shop/long by ip');
    expect(cache.who(B, 950)).toBe('other_time');
    expect(cache.who(B, 1012)).toBe('shop/short by ip');
    const dayUs = 86_400e6;
    cache.resolver.observe(911e6 + dayUs, 11e6 + dayUs);
    expect(cache.who(B, 950)).toBe('shop/short by ip');
  });

  test('where the clock was set forward, what was heard right after may have happened right before', () => {
    const cache = new Cache();
    cache.put(101, { uid: 'a', ips: [A], ready: 100 });
    cache.resolver.observe(1000e6, 0);
    cache.resolver.observe(1500e6, 1e6);
    cache.remove(1500.5, { uid: 'a', ips: [A], ready: 100 });
    expect(cache.who(A, 990)).toBe('shop/web by ip');
    expect(cache.who(A, 999)).toBe('other_time');
  });

  test('what was last known is not believed for ever', () => {
    const cache = new Cache();
    cache.put(101, { ips: [A], ready: 100 });
    cache.book.openUntilUs = 700e6;
    expect(cache.who(A, 700)).toBe('shop/web by ip');
    expect(cache.who(A, 701)).toBe('stale');
  });

  test('at the bound of what has ended the oldest is forgotten', () => {
    const book = new AddressBook(KEEP_S * 1e6, 2);
    const pods = new Pods(
      { node: 'here', keepUs: KEEP_S * 1e6, podsMax: 1000, labels: [], keepsAllLabels: false },
      book,
    );
    for (const [index, uid] of ['a', 'b', 'c'].entries()) {
      const idea = { uid, ips: [`10.1.0.${index}`], started: 100 };
      pods.put(podObject(idea), 101e6);
      pods.remove(podObject({ ...idea, finished: 200, phase: 'Succeeded' }), 201e6);
    }
    const resolver = new Resolver(pods, book, KEEP_S * 1e6);
    expect(book.ended).toBe(2);
    expect(resolver.find('10.1.0.0', undefined, 150e6)).toBe('unknown');
    expect(resolver.find('10.1.0.1', undefined, 150e6)).toMatchObject({ by: 'ip' });
  });

  test('pods beyond the bound have no names, and are counted', () => {
    const book = new AddressBook(1, 10);
    const pods = new Pods({ node: 'here', keepUs: 1, podsMax: 1, labels: [], keepsAllLabels: false }, book);
    pods.put(podObject({ ips: [A] }), 1);
    pods.put(podObject({ ips: [B] }), 1);
    expect(pods.size).toBe(1);
    expect(pods.refused).toBe(1);
    expect(new Resolver(pods, book, 1).find(B, undefined, 5)).toBe('unknown');
  });
});

describe("by a local pod's interface", () => {
  const NAME = 'calic95a4947e07';

  test("the interface's name is the prefix and 11 digits of the hash of namespace.pod", () => {
    const cache = new Cache();
    cache.put(101, { name: 'client-b6989bf87-2bgtc', namespace: 'default' });
    expect(cache.who(A, 50, NAME)).toBe('default/client-b6989bf87-2bgtc by interface');
    expect(cache.who(A, 50, 'enic95a4947e07')).toBe('default/client-b6989bf87-2bgtc by interface');
    expect(cache.who(A, 50, 'cali0123456789a')).toBe('unknown');
  });

  test('is exact before the address is known, and whoever had the address', () => {
    const cache = new Cache();
    cache.put(101, { name: 'client-b6989bf87-2bgtc', namespace: 'default' });
    cache.put(101, { name: 'other', ips: [A], ready: 100 });
    expect(cache.who(A, 150, NAME)).toBe('default/client-b6989bf87-2bgtc by interface');
    cache.put(151, { name: 'third', ips: [A], ready: 100 });
    expect(cache.who(A, 152, NAME)).toBe('default/client-b6989bf87-2bgtc by interface');
  });

  test("is not believed for an address that is known not to be the pod's", () => {
    const cache = new Cache();
    cache.put(101, { name: 'client-b6989bf87-2bgtc', namespace: 'default', ips: [B], ready: 100 });
    expect(cache.who(A, 150, NAME)).toBe('unknown');
  });

  test("another node's pods have no interface here", () => {
    const cache = new Cache();
    cache.put(101, { name: 'client-b6989bf87-2bgtc', namespace: 'default', node: 'there' });
    expect(cache.who(A, 150, NAME)).toBe('unknown');
  });

  test('a StatefulSet pod that is made anew under its name is told by its address, and forgotten with it', () => {
    const cache = new Cache();
    const web = { name: 'web-0', namespace: 'default', owner: { kind: 'StatefulSet', name: 'web' } };
    cache.put(101, { ...web, uid: 'first', ips: [A], ready: 100 });
    cache.remove(201, { ...web, uid: 'first', ips: [A], finished: 200, phase: 'Failed' });
    cache.put(205, { ...web, uid: 'second', ips: [B], ready: 203 });
    const name = 'cali0d7763386da';
    expect(cache.who(A, 199.5, name)).toMatch(/^default\/web-0 by/);
    expect(cache.who(B, 206, name)).toMatch(/^default\/web-0 by/);
    expect(cache.who(A, 150)).toBe('default/web-0 by ip');
    expect(cache.who(A, 206)).toBe('other_time');
    expect(cache.pods.local('default', 'web-0')?.uid).toBe('second');
    cache.expire(201 + KEEP_S);
    expect(cache.who(A, 150)).toBe('unknown');
    expect(cache.pods.local('default', 'web-0')?.uid).toBe('second');
  });

  test('a pod that has gone is told by its interface until it is forgotten', () => {
    const cache = new Cache();
    const pod = { uid: 'a', name: 'client-b6989bf87-2bgtc', namespace: 'default', ips: [A], ready: 100 };
    cache.put(101, pod);
    cache.remove(201, pod);
    expect(cache.who(A, 150, NAME)).toBe('default/client-b6989bf87-2bgtc by interface');
    cache.expire(201 + KEEP_S);
    expect(cache.who(A, 150, NAME)).toBe('unknown');
  });
});

describe('nodes and services', () => {
  const metadata = { uid: 'n', name: 'node-7', creationTimestamp: apiTime(100) };

  test('a node has its addresses and those of its tunnels; one not heard of any more has none', () => {
    const cache = new Cache();
    const nodes = new Holders(readNode, cache.book, 10);
    const node = {
      metadata: { ...metadata, annotations: { 'projectcalico.org/IPv4IPIPTunnelAddr': '10.9.0.1' } },
      status: {
        addresses: [
          { type: 'InternalIP', address: '192.168.0.7' },
          { type: 'Hostname', address: 'node-7' },
        ],
      },
    };
    nodes.put(node, 200e6);
    expect(cache.who('192.168.0.7', 150)).toBe('node/node-7 by ip');
    expect(cache.who('10.9.0.1', 150)).toBe('node/node-7 by ip');
    const lost = { ...node, status: { ...node.status, conditions: [{ type: 'Ready', status: 'Unknown' }] } };
    nodes.put(lost, 300e6);
    expect(cache.who('192.168.0.7', 250)).toBe('node/node-7 by ip');
    expect(cache.who('192.168.0.7', 350)).toBe('other_time');
    nodes.put(node, 400e6);
    expect(cache.who('192.168.0.7', 450)).toBe('node/node-7 by ip');
  });

  test('a service has its cluster addresses, a headless one none', () => {
    const cache = new Cache();
    const services = new Holders(readService, cache.book, 10);
    const named = { ...metadata, name: 'dns', namespace: 'kube-system' };
    services.put(
      { metadata: named, spec: { clusterIP: '10.0.0.10', clusterIPs: ['10.0.0.10', 'fd01::a'] } },
      200e6,
    );
    services.put(
      { metadata: { ...named, uid: 'h' }, spec: { clusterIP: 'None', clusterIPs: ['None'] } },
      200e6,
    );
    expect(cache.who('10.0.0.10', 150)).toBe('kube-system/dns by ip');
    expect(cache.who('fd01::a', 150)).toBe('kube-system/dns by ip');
    services.remove({ metadata: named }, 300e6);
    expect(cache.who('10.0.0.10', 290)).toBe('kube-system/dns by ip');
    expect(cache.who('10.0.0.10', 300)).toBe('other_time');
  });
});
