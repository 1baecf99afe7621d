import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { stringify } from 'yaml';
import { AgentProcess } from '../../helpers/agent-process.ts';
import { podObject } from '../../helpers/kubernetes-objects.ts';
import { MountedConfig } from '../../helpers/mounted-config.ts';
import { CHART, helm } from '../helm.ts';
import { ApiServer } from './api-server.ts';
import { ApiWriter } from './api-writer.ts';

const NAMESPACE = 'monitoring';
const RELEASE = 'netlog';
const NAME = 'netlog-policy-log-agent';
const POD_IP = '10.64.0.9';
const CALICO = 'crd.projectcalico.org';

/** Everything that the agent can ask of a cluster. */
const EVERYTHING = {
  select: {
    allow: { delegate: true },
    deny: { delegate: true },
    dispositions: [{ prefix: 'calico-packet', disposition: 'deny' }],
  },
  enrich: {
    kubernetes: {
      enabled: true,
      scope: 'cluster',
      workload: 'top',
      candidate_policies: true,
      network_sets: `${CALICO}/v1`,
      events: { enabled: true },
      jitter: '0ms',
    },
  },
  reload: { events: true },
};
const WATCHED = [
  'pods',
  'nodes',
  'services',
  'networkpolicies',
  'annotated_networkpolicies',
  'annotated_namespaces',
  'globalnetworksets',
  'networksets',
];

// What the chart grants is what the agent needs: with it everything works, and without any part of it something fails.
describe('the permissions that the chart computes', () => {
  const server = new ApiServer();
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-permissions-'));
  let api: ApiWriter;
  let account: { dir: string };
  let agent: AgentProcess | undefined;
  let runs = 0;

  beforeAll(async () => {
    await server.start();
    api = new ApiWriter(server);
    server.apply([definition('GlobalNetworkSet', 'Cluster'), definition('NetworkSet', 'Namespaced')]);
    server.kubectl(['wait', 'crd', '--all', '--for=condition=Established']);
    const annotation = { 'policy.network.gke.io/enable-deny-logging': 'true' };
    server.apply([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', annotations: annotation } },
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'tests', namespace: 'shop' } },
    ]);
    const values = join(dir, 'values.yaml');
    writeFileSync(values, stringify({ config: EVERYTHING }));
    const to = ['--namespace', NAMESPACE, '--kubeconfig', server.adminKubeconfig];
    helm('install', RELEASE, CHART, '--values', values, '--create-namespace', ...to);
    account = server.serviceAccount(NAMESPACE, NAME);
  });
  afterEach(async () => {
    await agent?.stop();
    vi.unstubAllEnvs();
  });
  afterAll(async () => {
    api.close();
    await server.close();
    rmSync(dir, { recursive: true });
  });

  /** The agent with the chart's configuration and the token of the chart's service account. */
  async function start() {
    const folder = join(dir, String(++runs));
    mkdirSync(folder);
    const file = join(folder, 'syslog');
    writeFileSync(file, '');
    const access = {
      url: server.url,
      token_file: join(account.dir, 'token'),
      ca_file: join(account.dir, 'ca.crt'),
    };
    const config = {
      ...EVERYTHING,
      node: 'node-1',
      inputs: [{ type: 'file', format: 'syslog', paths: [file] }],
      enrich: { kubernetes: { ...EVERYTHING.enrich.kubernetes, sync_wait: '2s', ...access } },
      state: { path: join(folder, 'state') },
      sinks: [{ name: 'out', type: 'stdout' }],
      http: { listen: '127.0.0.1:0' },
    };
    const mounted = new MountedConfig(join(folder, 'config'), stringify(config));
    agent = new AgentProcess(folder, mounted.file);
    await agent.ready();
    return { agent, file, mounted, config };
  }

  const synced = (of: AgentProcess, resource: string) =>
    of.metric('policy_log_agent_kubernetes_synced', { resource: `${resource}` });

  it('are enough for all that it can ask', async () => {
    server.apply([
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        metadata: {
          name: 'web-1',
          namespace: 'shop',
          ownerReferences: [
            { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'web', controller: true },
          ],
        },
        spec: {
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: { containers: [{ name: 'a', image: 'a' }] },
          },
        },
      },
    ]);
    const ready = Date.now() / 1000 - 60;
    const owner = { kind: 'ReplicaSet', name: 'web-1' };
    await api.runPod(podObject({ name: 'web-1-a', node: 'node-1', ips: [POD_IP], ready, owner }));

    const { agent, file } = await start();
    for (const resource of WATCHED) await expect.poll(() => synced(agent, resource)).toBe(1);
    appendFileSync(
      file,
      `${new Date().toISOString()} node-1 kernel: [ 100.000001] calico-packet: IN=cali0123456789a OUT=eth0 MAC= SRC=${POD_IP} DST=192.0.2.1 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=1 DF PROTO=TCP SPT=40000 DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0\n`,
    );
    const [text] = await agent.stdout.until('the record', (lines) => lines.length > 0);
    expect(JSON.parse(text!).src).toMatchObject({
      pod_name: 'web-1-a',
      workload_name: 'web',
      workload_kind: 'Deployment',
    });
    const events = () => server.kubectl(['get', 'events', '-n', 'shop', '-o', 'jsonpath={.items[*].reason}']);
    await expect.poll(events, { timeout: 10_000 }).toBe('NetworkPolicyDenied');
    expect(agent.log.items.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  it('are enough for an Event of the own pod when a changed configuration is refused', async () => {
    vi.stubEnv('POD_NAME', 'agent-1');
    vi.stubEnv('POD_NAMESPACE', NAMESPACE);
    vi.stubEnv('POD_UID', 'uid-1');
    const { mounted, config } = await start();
    mounted.swap(stringify({ ...config, colour: 'blue' }));
    const events = () => JSON.parse(server.kubectl(['get', 'events', '-n', NAMESPACE, '-o', 'json'])).items;
    await expect.poll(events, { timeout: 10_000 }).toMatchObject([
      {
        type: 'Warning',
        reason: 'InvalidConfiguration',
        message: expect.stringContaining('colour: unknown key'),
        involvedObject: { kind: 'Pod', name: 'agent-1', namespace: NAMESPACE, uid: 'uid-1' },
        source: { component: 'policy-log-agent', host: 'node-1' },
      },
    ]);
  });

  it('grant nothing else', () => {
    const { kubeconfig } = server.serviceAccount(NAMESPACE, NAME);
    const may = (verb: string, resource: string) => {
      try {
        server.kubectl([
          'auth',
          'can-i',
          verb,
          resource,
          '-n',
          'shop',
          '--quiet',
          '--kubeconfig',
          kubeconfig,
        ]);
        return true;
      } catch {
        return false;
      }
    };
    expect(may('list', 'pods')).toBe(true);
    const others = [
      'get secrets',
      'list configmaps',
      'get pods',
      'delete pods',
      'patch nodes',
      'list deployments',
    ];
    expect(others.filter((one) => may(...(one.split(' ') as [string, string])))).toEqual([]);
  });

  it.each([
    ['pods', ['pods']],
    ['nodes', ['nodes']],
    ['services', ['services']],
    ['namespaces', ['annotated_namespaces']],
    ['networkpolicies', ['networkpolicies', 'annotated_networkpolicies']],
    ['globalnetworksets', ['globalnetworksets']],
    ['networksets', ['networksets']],
  ])('hold nothing that is not needed: without %s something cannot be read', async (resource, unread) => {
    const role = JSON.parse(server.kubectl(['get', 'clusterrole', `${NAMESPACE}-${NAME}`, '-o', 'json'])) as {
      rules: { resources: string[] }[];
    };
    const without = role.rules
      .map((rule) => ({ ...rule, resources: rule.resources.filter((name) => name !== resource) }))
      .filter(({ resources }) => resources.length > 0);
    server.kubectl(['replace', '-f', '-'], JSON.stringify({ ...role, rules: without }));
    try {
      const { agent } = await start();
      await agent.log.until('it says so', (lines) => unread.every((name) => complainsOf(lines, name)));
      for (const name of WATCHED)
        expect([name, await synced(agent, name)]).toEqual([name, Number(!unread.includes(name))]);
    } finally {
      const { rules } = role;
      const patch = JSON.stringify([{ op: 'replace', path: '/rules', value: rules }]);
      server.kubectl(['patch', 'clusterrole', `${NAMESPACE}-${NAME}`, '--type=json', '-p', patch]);
    }
  });

  it('are missed in the log where they do not let an Event be written', async () => {
    const said = (agent: AgentProcess, part: string) =>
      agent.log.until(part, (lines) => lines.some(({ msg }) => msg.includes(part)));
    const nameless = await start();
    nameless.mounted.swap(stringify({ ...nameless.config, colour: 'blue' }));
    await said(nameless.agent, 'cannot write an Event without the pod');
    await nameless.agent.stop();

    server.kubectl(['delete', 'clusterrolebinding', `${NAMESPACE}-${NAME}`]);
    vi.stubEnv('POD_NAME', 'agent-1');
    // The chart grants no Events in another namespace than its own but for denied traffic.
    vi.stubEnv('POD_NAMESPACE', 'shop');
    const forbidden = await start();
    forbidden.mounted.swap(stringify({ ...forbidden.config, colour: 'blue' }));
    await said(forbidden.agent, 'did not take an Event');
  });
});

function complainsOf(lines: readonly { msg: string; [key: string]: unknown }[], resource: string): boolean {
  return lines.some(
    (line) => line.msg.startsWith('cannot read from the Kubernetes API') && line.resource === resource,
  );
}

function definition(kind: string, scope: string): object {
  const plural = `${kind.toLowerCase()}s`;
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${CALICO}` },
    spec: {
      group: CALICO,
      scope,
      names: { kind, plural, singular: kind.toLowerCase() },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
}
