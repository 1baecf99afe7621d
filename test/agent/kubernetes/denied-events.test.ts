import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { AddressBook } from '../../../agent/kubernetes/address-book.ts';
import type { Api, ApiAnswer } from '../../../agent/kubernetes/api-client.ts';
import { DeniedEvents } from '../../../agent/kubernetes/denied-events.ts';
import { EventWriter } from '../../../agent/kubernetes/event-writer.ts';
import { Pods } from '../../../agent/kubernetes/pods.ts';
import type { FlowRecord } from '../../../parsers/record.ts';
import { podObject } from '../../helpers/kubernetes-objects.ts';

interface Posted {
  involvedObject: { name: string };
  message: string;
}

/** A node with the pod shop/web, and an API server that keeps what is posted. */
class Lab {
  nowMs = Date.UTC(2026, 10, 21, 10);
  status = 201;
  readonly posted: Posted[] = [];
  readonly writer: EventWriter;
  readonly #events: DeniedEvents;

  constructor(perMinute: number) {
    const api: Api = {
      get: () => Promise.reject(new Error('nothing is read')),
      post: async (_, body): Promise<ApiAnswer> => {
        if (this.status === 0) throw new Error('refused');
        if (this.status === 201) this.posted.push(body as Posted);
        return { status: this.status, serverMs: undefined, retryAfterMs: undefined, body: Readable.from([]) };
      },
    };
    const clock = { now: () => this.nowMs, random: () => 0, setTimeout, clearTimeout: () => {} };
    const options = { node: 'here', keepUs: 0, podsMax: 10, labels: [], keepsAllLabels: false };
    const pods = new Pods(options, new AddressBook(0, 10));
    pods.put(podObject({ name: 'web', namespace: 'shop' }), this.nowMs * 1000);
    this.writer = new EventWriter(api, 'here', perMinute, clock, new AbortController().signal);
    this.#events = new DeniedEvents(pods, this.writer, clock);
  }

  denied(
    change: Partial<FlowRecord> = {},
    connection: Partial<FlowRecord['connection']> = {},
  ): Promise<void> {
    this.#events.denied({
      id: '1',
      connection: {
        src_ip: '10.9.9.1',
        dest_ip: '10.1.0.1',
        dest_port: 80,
        protocol: 'tcp',
        direction: 'ingress',
        ...connection,
      },
      disposition: 'deny',
      src: { instance: '10.9.9.1' },
      dest: { pod_name: 'web', namespace: 'shop' },
      count: 1,
      timestamp: new Date(this.nowMs).toISOString(),
      source: { input: 'a', format: 'syslog' },
      ...change,
    });
    return this.writer.idle();
  }

  messages(): string[] {
    return this.posted.map(({ message }) => message);
  }
}

describe('Events about denials', () => {
  test('one for the same pod, peer, port and protocol in ten minutes', async () => {
    const lab = new Lab(100);
    await lab.denied();
    await lab.denied();
    await lab.denied({}, { dest_port: 81 });
    await lab.denied({}, { protocol: 'udp' });
    await lab.denied({}, { src_ip: '10.9.9.2' });
    lab.nowMs += 599_000;
    await lab.denied();
    lab.nowMs += 1000;
    await lab.denied();
    expect(lab.messages()).toEqual([
      'ingress from 10.9.9.1, tcp port 80, was denied',
      'ingress from 10.9.9.1, tcp port 81, was denied',
      'ingress from 10.9.9.1, udp port 80, was denied',
      'ingress from 10.9.9.2, tcp port 80, was denied',
      'ingress from 10.9.9.1, tcp port 80, was denied',
    ]);
  });

  test('say who the peer is and what may have denied', async () => {
    const lab = new Lab(100);
    const web = { pod_name: 'web', namespace: 'shop' };
    const policies = [{ name: 'default-deny', namespace: 'shop' }];
    await lab.denied(
      { src: web, dest: { pod_name: 'db-0', namespace: 'data' }, candidate_policies: policies },
      { direction: 'egress' },
    );
    await lab.denied({ src: { node_name: 'node-7' } });
    expect(lab.messages()).toEqual([
      'egress to data/db-0 (10.1.0.1), tcp port 80, was denied; policies that select the pod: default-deny',
      'ingress from node node-7 (10.9.9.1), tcp port 80, was denied',
    ]);
  });

  test('none on a pod that is not known here, without a direction, and about what is long past', async () => {
    const lab = new Lab(100);
    await lab.denied({ dest: { pod_name: 'far', namespace: 'shop' } });
    await lab.denied({ dest: { instance: '10.1.0.1' } });
    const { direction: _, ...undirected } = { src_ip: '10.9.9.1', protocol: 'tcp', direction: undefined };
    await lab.denied({ connection: undirected });
    await lab.denied({ timestamp: new Date(lab.nowMs - 601_000).toISOString() });
    expect(lab.posted).toEqual([]);
  });

  test('no more in a minute than the budget; what had no room may come later', async () => {
    const lab = new Lab(2);
    for (let port = 1; port <= 4; port++) await lab.denied({}, { dest_port: port });
    expect(lab.posted).toHaveLength(2);
    expect(lab.writer.counts).toEqual({ written: 2, dropped: 2 });
    lab.nowMs += 60_000;
    await lab.denied({}, { dest_port: 3 });
    expect(lab.messages().at(-1)).toContain('port 3');
  });

  test('a full queue, a refusal and a network that is down are counted, and nothing waits', async () => {
    const lab = new Lab(600);
    for (let port = 1; port <= 60; port++) void lab.denied({}, { dest_port: port });
    await lab.writer.idle();
    expect(lab.writer.counts).toEqual({ written: 50, dropped: 10 });
    lab.status = 403;
    await lab.denied({}, { dest_port: 100 });
    lab.status = 0;
    await lab.denied({}, { dest_port: 101 });
    expect(lab.writer.counts).toEqual({ written: 50, dropped: 12 });
  });
});
