import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import * as z from 'zod/mini';
import { systemClock } from '../../agent/clock.ts';
import { type KubernetesConfig, kubernetesSchema } from '../../agent/config/kubernetes.ts';
import { ApiClient } from '../../agent/kubernetes/api-client.ts';
import { Cluster } from '../../agent/kubernetes/cluster.ts';
import { interfaceHash } from '../../agent/kubernetes/pods.ts';
import { sideOf } from '../../agent/stages/holder.ts';
import type { FlowRecord } from '../../parsers/record.ts';
import { AgentProcess } from '../helpers/agent-process.ts';
import { type PodIdea, podObject } from '../helpers/kubernetes-objects.ts';
import { MountedConfig } from '../helpers/mounted-config.ts';
import { ApiServer } from './kubernetes/api-server.ts';
import { ApiWriter } from './kubernetes/api-writer.ts';

const NODE = 'node-1';
const RULES = [
  { apiGroups: [''], resources: ['pods', 'nodes', 'services', 'namespaces'], verbs: ['list', 'watch'] },
  { apiGroups: [''], resources: ['events'], verbs: ['create'] },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['list', 'watch'] },
  { apiGroups: ['apps'], resources: ['replicasets'], verbs: ['get'] },
  { apiGroups: ['batch'], resources: ['jobs'], verbs: ['get'] },
  {
    apiGroups: ['crd.projectcalico.org'],
    resources: ['networksets', 'globalnetworksets'],
    verbs: ['list', 'watch'],
  },
];

const server = new ApiServer();
let api: ApiWriter;
let dir: string;
/** Clusters that a test has made. */
let clusters: Cluster[] = [];
const failing: string[] = [];

beforeAll(async () => {
  await server.start();
  api = new ApiWriter(server);
  dir = mkdtempSync(join(tmpdir(), 'identity-'));
  server.apply([
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
    serviceAccount('shop', 'tests'),
    serviceAccount('default', 'agent'),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'agent' },
      rules: RULES,
    },
  ]);
  bind();
  writeFileSync(join(dir, 'token'), server.serviceAccount('default', 'agent').token);
});
afterAll(async () => {
  (api as ApiWriter | undefined)?.close();
  await server.close();
  rmSync(dir, { recursive: true });
});
beforeEach(() => {
  failing.length = 0;
});
afterEach(async () => {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
  clusters = [];
  server.kubectl(['delete', 'pods', '--all', '-A', '--grace-period=0', '--force', '--wait=false']);
});

function serviceAccount(namespace: string, name: string): object {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name } };
}

function bind(): void {
  const binding = ['clusterrolebinding', 'agent', '--clusterrole=agent', '--serviceaccount=default:agent'];
  server.kubectl(['create', ...binding]);
}

type Options = Partial<z.input<typeof kubernetesSchema>>;

function cluster(options: Options = {}, delegates = false): Cluster {
  const config: KubernetesConfig = z.parse(kubernetesSchema, { enabled: true, jitter: '0ms', ...options });
  const made = new Cluster(
    { config, delegatesAllow: delegates, delegatesDeny: delegates },
    {
      node: NODE,
      api: new ApiClient({ url: server.url, tokenFile: join(dir, 'token'), caFile: server.caFile }),
      // Pauses at random, and short.
      clock: { ...systemClock, random: () => Math.random() / 50 },
      monotonicUs: () => performance.now() * 1000,
      events: { failing: (resource, reason) => failing.push(`${resource}: ${reason}`), recovered: () => {} },
    },
  );
  made.observeClock();
  made.start();
  clusters.push(made);
  return made;
}

async function ready(options?: Options, delegates?: boolean): Promise<Cluster> {
  const made = cluster(options, delegates);
  expect(await made.ready(new AbortController().signal)).toEqual([]);
  return made;
}

function pod(idea: PodIdea): ReturnType<typeof podObject> {
  return podObject({ node: NODE, ready: Date.now() / 1000 - 60, hostIps: ['192.168.9.1'], ...idea });
}

function who(of: Cluster, address: string, interfaceName?: string) {
  of.observeClock();
  const found = of.who(address, interfaceName, Date.now() * 1000);
  return found && sideOf(found.holder, found.by);
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 20) {
    if (waited > 30_000) throw new Error(`in vain: ${what}`);
    await sleep(20);
  }
}

function restarts(of: Cluster): Record<string, number> {
  return Object.fromEntries(of.watched[0]!.restarts.entries());
}

describe('the pods of this node', () => {
  it('are listed, and then watched', async () => {
    await api.runPod(
      pod({ name: 'web-0', ips: ['10.1.0.1', 'fd00::1'], owner: { kind: 'StatefulSet', name: 'web' } }),
    );
    await api.runPod(pod({ name: 'far', ips: ['10.2.0.1'], node: 'node-2' }));
    const one = await ready();
    const web = {
      pod_name: 'web-0',
      namespace: 'shop',
      pod_namespace: 'shop',
      workload_name: 'web',
      workload_kind: 'StatefulSet',
    };
    expect(who(one, '10.1.0.1')).toEqual({ ...web, resolved_by: 'ip' });
    expect(who(one, 'fd00::1')).toEqual({ ...web, resolved_by: 'ip' });
    const name = `cali${interfaceHash('shop', 'web-0')}`;
    expect(who(one, '10.1.0.1', name)).toEqual({ ...web, resolved_by: 'interface' });
    expect(who(one, '10.2.0.1')).toBeUndefined();
    expect(who(one, '192.168.9.1')).toMatchObject({ node_name: NODE, workload_kind: 'Node' });

    await api.runPod(pod({ name: 'web-1', ips: ['10.1.0.2'] }));
    await until('web-1 is known', () => who(one, '10.1.0.2') !== undefined);
    await api.endPod('shop', 'web-0');
    await until('web-0 has gone', () => who(one, '10.1.0.1') === undefined);
    const beforeUs = (Date.now() - 10_000) * 1000;
    expect(one.who('10.1.0.1', undefined, beforeUs)?.holder.name).toBe('web-0');
    expect(one.use.requests).toBe(2);
  });

  it('stay known while the API server is away, and the watch goes on where it was', async () => {
    await api.runPod(pod({ name: 'web', ips: ['10.1.0.1'] }));
    const one = await ready();
    await server.stop();
    await until('the watch broke', () => Object.keys(restarts(one)).length > 0);
    expect(who(one, '10.1.0.1')).toMatchObject({ pod_name: 'web' });
    await server.resume();
    await api.runPod(pod({ name: 'next', ips: ['10.1.0.2'] }));
    await until('the next pod is known', () => who(one, '10.1.0.2') !== undefined);
    expect(restarts(one).expired ?? 0).toBe(0);
    expect(failing.length).toBeLessThanOrEqual(1);
  });

  it('are listed again where the API server no longer knows the place (410)', async () => {
    await api.runPod(pod({ name: 'goes', ips: ['10.1.0.1'] }));
    const one = await ready();
    // What happens while the agent's connection is refused is compacted away before it comes back.
    const token = server.serviceAccount('default', 'agent').token;
    writeFileSync(join(dir, 'token'), 'none');
    await server.restart();
    await until('the watch is refused', () => (restarts(one).unauthorized ?? 0) > 0);
    await api.endPod('shop', 'goes');
    await api.runPod(pod({ name: 'comes', ips: ['10.1.0.2'] }));
    await server.compact();
    writeFileSync(join(dir, 'token'), token);
    await until('the place is not known any more', () => (restarts(one).expired ?? 0) > 0);
    await until('the new pod is known', () => who(one, '10.1.0.2') !== undefined);
    await until('the old pod has gone', () => who(one, '10.1.0.1') === undefined);
  });

  it('have no names where that is forbidden; nobody waits, and it is said once', async () => {
    server.kubectl(['delete', 'clusterrolebinding', 'agent']);
    const one = cluster({ sync_wait: '10m' });
    expect(await one.ready(new AbortController().signal)).toEqual(['pods']);
    expect(who(one, '10.1.0.1')).toBeUndefined();
    expect(Object.fromEntries(one.unnamed.entries())).toEqual({ not_synced: 1 });
    expect(failing).toEqual([expect.stringContaining('pods: HTTP 403: pods is forbidden')]);
    bind();
    await api.runPod(pod({ name: 'web', ips: ['10.1.0.1'] }));
    await until('the pod is known', () => who(one, '10.1.0.1') !== undefined);
  });

  it('lines wait no longer than they are told to where nobody answers', async () => {
    await server.stop();
    const one = cluster({ sync_wait: '200ms' });
    const begunMs = Date.now();
    expect(await one.ready(new AbortController().signal)).toEqual(['pods']);
    expect(Date.now() - begunMs).toBeGreaterThanOrEqual(200);
    await server.resume();
    await until('it is listed all the same', () => one.watched[0]!.isSynced);
  });

  it('are read on with a new token when the old one is not taken any more', async () => {
    await api.runPod(pod({ name: 'web', ips: ['10.1.0.1'] }));
    const one = await ready();
    server.kubectl(['delete', 'serviceaccount', 'agent', '--namespace', 'default']);
    server.apply([serviceAccount('default', 'agent')]);
    await server.restart();
    await until('the old token is refused', () => (restarts(one).unauthorized ?? 0) > 0);
    writeFileSync(join(dir, 'token'), server.serviceAccount('default', 'agent').token);
    await api.runPod(pod({ name: 'next', ips: ['10.1.0.2'] }));
    await until('the next pod is known', () => who(one, '10.1.0.2') !== undefined);
  });
});

describe('options', () => {
  it('scope cluster: all pods, nodes and services', async () => {
    await api.runPod(pod({ name: 'far', ips: ['10.2.0.1'], node: 'node-2' }));
    server.apply([
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-2' } },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'front', namespace: 'shop' },
        spec: { ports: [{ port: 80 }] },
      },
    ]);
    const addresses = [{ type: 'InternalIP', address: '192.168.9.2' }];
    await api.send(
      'PATCH',
      '/api/v1/nodes/node-2/status',
      { status: { addresses } },
      'application/merge-patch+json',
    );
    const one = await ready({ scope: 'cluster' });
    // Times of other clocks are taken with a margin.
    await until('the margin is over', () => who(one, '192.168.9.2') !== undefined);
    expect(who(one, '10.2.0.1')).toMatchObject({ pod_name: 'far' });
    expect(who(one, '192.168.9.2')).toMatchObject({ node_name: 'node-2' });
    const ip = server.kubectl(['get', 'service', 'front', '-n', 'shop', '-o', 'jsonpath={.spec.clusterIP}']);
    expect(who(one, ip)).toMatchObject({
      workload_name: 'front',
      workload_kind: 'Service',
      namespace: 'shop',
    });
  });

  it('workload top: what controls the ReplicaSet; the controller itself where nothing does', async () => {
    const template = {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'main', image: 'none' }] },
    };
    const spec = { selector: { matchLabels: { app: 'web' } }, template };
    const controller = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'u', controller: true };
    server.apply([
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: { name: 'web-5d', namespace: 'shop', ownerReferences: [controller] },
        spec,
      },
    ]);
    await api.runPod(
      pod({ name: 'web-5d-x', ips: ['10.1.0.1'], owner: { kind: 'ReplicaSet', name: 'web-5d' } }),
    );
    await api.runPod(pod({ name: 'bare-x', ips: ['10.1.0.2'], owner: { kind: 'ReplicaSet', name: 'bare' } }));
    const one = await ready({ workload: 'top' });
    await until('the owner is known', () => who(one, '10.1.0.1')?.workload_kind === 'Deployment');
    expect(who(one, '10.1.0.1')).toMatchObject({ workload_name: 'web' });
    expect(who(one, '10.1.0.2')).toMatchObject({ workload_name: 'bare', workload_kind: 'ReplicaSet' });
  });

  it('labels: the chosen ones; candidate policies: those that select the pod in that direction', async () => {
    const policy = (name: string, spec: object) => ({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name, namespace: 'shop' },
      spec,
    });
    const expression = { key: 'tier', operator: 'In', values: ['web', 'api'] };
    server.apply([
      policy('all', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
      policy('web-in', { podSelector: { matchLabels: { app: 'web' } } }),
      policy('tiers', { podSelector: { matchExpressions: [expression] }, policyTypes: ['Egress'] }),
      policy('others', { podSelector: { matchLabels: { app: 'db' } } }),
    ]);
    await api.runPod(pod({ name: 'web', ips: ['10.1.0.1'], labels: { app: 'web', tier: 'api', team: 'a' } }));
    const one = await ready({ labels: ['team', 'absent'], candidate_policies: true });
    expect(who(one, '10.1.0.1')?.labels).toEqual({ team: 'a' });
    const names = (direction: string) => one.candidates!('shop', 'web', direction).map(({ name }) => name);
    expect(names('ingress')).toEqual(['all', 'web-in']);
    expect(names('egress')).toEqual(['all', 'tiers']);
    server.kubectl(['delete', 'networkpolicy', 'all', '-n', 'shop']);
    await until('a deleted one is none', () => names('ingress').join() === 'web-in');
  });

  it('delegate: annotations of policies and namespaces', async () => {
    server.kubectl(['annotate', 'namespace', 'shop', 'policy.network.gke.io/enable-deny-logging=true']);
    const one = await ready({}, true);
    expect(one.annotations.logsDenials('shop')).toBe(true);
    expect(one.annotations.logsDenials('default')).toBe(false);
    expect(one.annotations.logsPolicy({ name: 'web-in', namespace: 'shop' })).toBe(false);
    server.kubectl([
      ...['annotate', 'networkpolicy', 'web-in', '-n', 'shop'],
      'policy.network.gke.io/enable-logging=true',
    ]);
    await until('the policy is known', () =>
      one.annotations.logsPolicy({ name: 'web-in', namespace: 'shop' }),
    );
  });

  it('network sets: names for networks; without the CRDs nobody waits', async () => {
    const before = cluster({ network_sets: 'crd.projectcalico.org/v1', sync_wait: '10m' });
    expect(await before.ready(new AbortController().signal)).toEqual(['globalnetworksets', 'networksets']);
    server.apply([crd('GlobalNetworkSet', 'Cluster'), crd('NetworkSet', 'Namespaced')]);
    const set = (kind: string, metadata: object, nets: string[]) => ({
      apiVersion: 'crd.projectcalico.org/v1',
      kind,
      metadata,
      spec: { nets },
    });
    await until('the kinds are served', () => {
      try {
        server.apply([
          set('GlobalNetworkSet', { name: 'partners' }, ['198.51.100.0/24']),
          set('NetworkSet', { name: 'api', namespace: 'shop' }, ['198.51.100.7']),
        ]);
        return true;
      } catch {
        return false;
      }
    });
    await until('both are known', () =>
      before.watched.every(({ isSynced, objects }) => isSynced && (objects > 0 || true)),
    );
    const named = (address: [number, number, number, number]) => before.networkSets?.find(address)?.name;
    const word = (198 * 256 + 51) * 65_536 + 100 * 256;
    await until('the set is known', () => named([0, 0, 0xffff, word + 7]) === 'shop/api');
    expect(named([0, 0, 0xffff, word + 8])).toBe('partners');
  });

  it('events: one for the same peer and port, on the pod that was denied', async () => {
    await api.runPod(pod({ name: 'web', ips: ['10.1.0.1'] }));
    const one = await ready({ events: { enabled: true, per_minute: 2 } });
    const record = (srcIp: string) => ({
      id: '1',
      connection: {
        src_ip: srcIp,
        dest_ip: '10.1.0.1',
        dest_port: 80,
        protocol: 'tcp',
        direction: 'ingress' as const,
      },
      disposition: 'deny' as const,
      src: { instance: srcIp },
      dest: { pod_name: 'web', namespace: 'shop' },
      count: 1,
      timestamp: new Date().toISOString(),
      source: { input: 'a', format: 'syslog' },
    });
    for (const ip of ['10.9.9.1', '10.9.9.1', '10.9.9.2', '10.9.9.3']) one.denied!(record(ip));
    await one.events!.idle();
    expect(one.events!.counts).toEqual({ written: 2, dropped: 1 });
    const events = JSON.parse(server.kubectl(['get', 'events', '-n', 'shop', '-o', 'json'])) as {
      items: { reason: string; message: string; involvedObject: { name: string } }[];
    };
    expect(events.items.map(({ message }) => message).sort()).toEqual([
      'ingress from 10.9.9.1, tcp port 80, was denied',
      'ingress from 10.9.9.2, tcp port 80, was denied',
    ]);
    expect(events.items[0]).toMatchObject({ reason: 'NetworkPolicyDenied', involvedObject: { name: 'web' } });
    expect(server.kubectl(['describe', 'pod', 'web', '-n', 'shop'])).toContain('NetworkPolicyDenied');
  });
});

describe('10,000 pods that come and go', () => {
  const PODS = 10_000;
  const AT_ONCE = 24;
  const ADDRESSES = 1000;
  /** How much later than an event a line about it is read: what it takes the watch to tell. */
  const LATE_MS = 6000;

  it('are named for their own times only, and leave nothing behind', async () => {
    const one = await ready({ keep_deleted: '10s' });
    const addresses = Array.from({ length: ADDRESSES }, (_, i) => `10.7.${i >> 8}.${i & 255}`);
    const free = [...addresses];
    const lives = new Map(
      addresses.map((address) => [address, [] as { name: string; fromMs: number; untilMs: number }[]]),
    );
    /** One in twenty lasts for a while. */
    const lasting: Promise<void>[] = [];
    const wrong: string[] = [];
    let [made, named] = [0, 0];

    const comeAndGo = async () => {
      while (made < PODS) {
        const name = `pod-${made++}`;
        const address = free.shift()!;
        const life = { name, fromMs: Date.now(), untilMs: Number.POSITIVE_INFINITY };
        lives.get(address)!.push(life);
        await api.runPod(pod({ name, ips: [address], ready: life.fromMs / 1000 }));
        // Deleted by force, it would run on until then.
        const end = async () => {
          await api.endPod('shop', name);
          life.untilMs = Date.now();
          free.push(address);
        };
        if (made % 20 > 0) await end();
        else lasting.push(sleep(2000 + Math.random() * 10_000).then(end));
      }
    };
    const judge = () => {
      one.observeClock();
      const atMs = Date.now() - LATE_MS - Math.random() * 5000;
      for (const [address, held] of lives) {
        const found = one.who(address, undefined, atMs * 1000);
        if (found === undefined) continue;
        named += 1;
        const holder = held.find(({ fromMs, untilMs }) => fromMs <= atMs && atMs <= untilMs);
        if (holder?.name !== found.holder.name) wrong.push(`${found.holder.name} for ${holder?.name}`);
      }
    };
    const judging = setInterval(judge, 50);
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, comeAndGo));
      await Promise.all(lasting);
    } finally {
      clearInterval(judging);
    }
    expect(wrong).toEqual([]);
    expect(named).toBeGreaterThan(100);
    await until('all have gone', () => one.pods.size === 0);
    await until('all are forgotten', () => one.addresses.ended === 0);
    // The node's own stays.
    expect(one.addresses.known).toBe(1);
    console.log(
      `10,000 pods: ${named} names asked for and right, ${one.use.requests} requests, ${one.use.bytes} bytes`,
    );
  });
});

describe('the agent', () => {
  const folder = mkdtempSync(join(tmpdir(), 'identity-agent-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('waits for the list, names records, and does not ask again for a configuration that asks the same', async () => {
    const log = join(folder, 'syslog');
    const records = join(folder, 'records.ndjson');
    const kernelLine = (ip: string, mark: number) =>
      `${new Date().toISOString()} node-1 kernel: calico-packet: IN=cali${interfaceHash('shop', 'web')} OUT=eth0 MAC= SRC=${ip} DST=8.8.8.8 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1 PROTO=TCP SPT=4000 DPT=${mark} WINDOW=1 RES=0x00 SYN URGP=0 \n`;
    const config = (kubernetes: object) =>
      stringify({
        node: NODE,
        inputs: [{ type: 'file', format: 'syslog', paths: [log], start: 'beginning', poll_interval: '20ms' }],
        aggregate: { window: '100ms', grace: '10ms' },
        enrich: {
          kubernetes: {
            enabled: true,
            url: server.url,
            token_file: join(dir, 'token'),
            ca_file: server.caFile,
            jitter: '100ms',
            sync_wait: '1m',
            ...kubernetes,
          },
        },
        state: { path: join(folder, 'state') },
        sinks: [{ name: 'records', type: 'file', path: records }],
        http: { listen: '127.0.0.1:0' },
      });
    await api.runPod(pod({ name: 'web', ips: ['10.1.0.1'], labels: { app: 'web' } }));
    writeFileSync(log, kernelLine('10.1.0.1', 1));
    await server.stop();
    const mounted = new MountedConfig(join(folder, 'mounted'), config({}));
    const agent = new AgentProcess(folder, mounted.file);
    await agent.log.until('it says that nobody answers', () =>
      agent.log.items.some(({ msg }) => msg.includes('cannot read from the Kubernetes API')),
    );
    await server.resume();
    const url = await agent.ready();
    const named = async (mark: number) => {
      const read = () =>
        (existsSync(records) ? readFileSync(records, 'utf8') : '').split('\n').filter(Boolean);
      const found = () => read().find((line) => line.includes(`"dest_port":${mark},`));
      await until(`the record of port ${mark}`, () => found() !== undefined);
      return (JSON.parse(found()!) as FlowRecord).src;
    };
    const web = { pod_name: 'web', namespace: 'shop', pod_namespace: 'shop', resolved_by: 'interface' };
    expect(await named(1)).toEqual(web);
    const metric = (name: string) => agent.metric(`policy_log_agent_kubernetes_${name}`);
    expect(await metric('synced')).toBe(1);
    expect(await metric('objects')).toBe(1);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('kubernetes_age_seconds{resource="pods"}');

    const asked = await metric('requests_total');
    const applied = () => agent.log.items.filter(({ msg }) => msg.includes('is in force')).length;
    mounted.swap(`${config({})}\nlog: {level: debug}\n`);
    await agent.log.until('it is applied', () => applied() === 1);
    appendFileSync(log, kernelLine('10.1.0.1', 2));
    expect(await named(2)).toEqual(web);
    expect(await metric('requests_total')).toBe(asked);

    mounted.swap(config({ labels: ['app'] }));
    await agent.log.until('it is applied', () => applied() === 2);
    appendFileSync(log, kernelLine('10.1.0.1', 3));
    expect(await named(3)).toEqual({ ...web, labels: { app: 'web' } });

    mounted.swap(config({ enabled: false }));
    await agent.log.until('it is applied', () => applied() === 3);
    appendFileSync(log, kernelLine('10.1.0.1', 4));
    expect(await named(4)).toEqual({ instance: '10.1.0.1', network: 'private' });
    expect((await agent.stop()).code).toBe(0);
  });
});

function crd(kind: string, scope: string): object {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.crd.projectcalico.org` },
    spec: {
      group: 'crd.projectcalico.org',
      scope,
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
