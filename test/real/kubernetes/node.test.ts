import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import type { FlowRecord } from '../../../parsers/record.ts';
import { logAllNetworks } from '../../helpers/kernel-lab.ts';
import { RecordServer } from '../../helpers/record-server.ts';
import { Rsyslog } from '../../helpers/rsyslog.ts';
import { built, versions } from '../cache.ts';
import { CHART } from '../helm.ts';
import { AGENT_IMAGE, buildAgentImage, makeToolsImage, saveImage, TOOLS_IMAGE } from '../images.ts';
import { ClusterNode } from './node.ts';
import { podUsage } from './pod-usage.ts';
import { Transcript } from './transcript.ts';

const NAMESPACE = 'policy-log-agent';
const RELEASE = 'policy-log-agent';
const DENIED_PORT = 4433;
const ALLOWED_PORT = 8080;
const OUTSIDE_PORT = 5353;
const PACKET_INTERVAL_MS = 20;
const MIB = 1024 * 1024;

const transcript = new Transcript(`# A real cluster

Written by \`make test-node\`, which does all of this again: a cluster of one node with a real API server, kubelet and
container runtime, the image that the Dockerfile builds, the chart, netfilter rules in the node's kernel, and rsyslog.
Kubernetes ${versions.KUBERNETES}, helm ${versions.HELM}, etcd ${versions.ETCD}.`);

/** Sends UDP packets to the other pod and out of the cluster until it is told to stop. */
const SENDER = `
const socket = require('dgram').createSocket('udp4');
let sent = 0;
setInterval(() => {
  socket.send('denied', ${DENIED_PORT}, process.env.SERVER);
  if (sent++ % 10 === 0) socket.send('denied', ${OUTSIDE_PORT}, process.env.OUTSIDE);
}, ${PACKET_INTERVAL_MS});
process.on('SIGTERM', () => process.exit(0));`;

const deployment = (name: string, container: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name, imagePullPolicy: 'Never', ...container }],
      },
    },
  },
});

/** Sends one packet from outside that a rule denies. @returns from which port */
async function sendDenied(address: string): Promise<number> {
  const socket = createSocket('udp4');
  await new Promise((sent) => socket.send('denied', DENIED_PORT, address, sent));
  const { port } = socket.address();
  socket.close();
  return port;
}

/** How many lines about some addresses a syslog file has, and how many of them the kernel said once. */
function linesOf(text: string, addresses: string[]): { lines: number; distinct: number } {
  const lines = text.split('\n').filter((line) => addresses.some((ip) => line.includes(`=${ip} `)));
  return {
    lines: lines.length,
    distinct: new Set(lines.map((line) => line.slice(line.indexOf('kernel:')))).size,
  };
}

// One story: each test goes on where the one before it ended, and the last writes it down.
describe('a real node', () => {
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-cluster-'));
  const node = new ClusterNode();
  const server = new RecordServer();
  let restoreLog = () => {};
  let rsyslog: Rsyslog;
  let url = '';

  beforeAll(async () => {
    buildAgentImage();
    makeToolsImage();
    const archives = [AGENT_IMAGE, TOOLS_IMAGE].map((image, index) => {
      const file = join(dir, `${index}.tar`);
      saveImage(image, file);
      return file;
    });
    const startedMs = Date.now();
    await node.start(TOOLS_IMAGE, archives);
    transcript.say(`The node was ready ${((Date.now() - startedMs) / 1000).toFixed(1)} s after its start.`);
    url = await server.listen(node.machine.outsideAddress);
    restoreLog = logAllNetworks();
    rsyslog = new Rsyslog(dir, 'RSYSLOG_FileFormat', 'node-1', join(node.machine.logDir, 'syslog'));
    rsyslog.start();
    execFileSync('ip', ['route', 'add', node.machine.podNetwork, 'via', node.machine.address]);
  });

  afterAll(async () => {
    await rsyslog?.stop();
    restoreLog();
    await node.close();
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  });

  const kubectl = (...args: string[]) => {
    const output = node.kubectl(...args);
    transcript.command(`kubectl ${args.join(' ')}`, output);
    return output;
  };
  const helm = (...args: string[]) => {
    const program = built(`helm-${versions.HELM}/helm`);
    const output = node.machine.run(program, ...args, '--kubeconfig', node.api.adminKubeconfig);
    const shown = args.join(' ').replace(CHART, 'helm/policy-log-agent').replace(`${dir}/`, '');
    transcript.command(`helm ${shown}`, output.replace(/\nNOTES:.*/s, ''));
    return output;
  };

  const config = (sinks: object[]) => ({
    node: '${NODE_NAME}',
    inputs: [{ type: 'file', format: 'syslog', paths: ['/var/log/syslog'], start: 'beginning' }],
    select: { dispositions: [{ prefix: 'calico-drop', disposition: 'deny' }] },
    limit: { connections_per_second: 0 },
    enrich: { kubernetes: { enabled: true, workload: 'top' } },
    reload: { events: true },
    sinks,
  });
  const sink = (change: object = {}) => ({ name: 'store', type: 'http', url, ...change });
  const values = (sinks: object[], more: object = {}) => {
    const [repository, tag] = AGENT_IMAGE.split(':');
    const all = { image: { repository, tag }, config: config(sinks), ...more };
    const text = stringify(all, { lineWidth: 0 });
    const file = join(dir, 'values.yaml');
    writeFileSync(file, text);
    transcript.command('cat values.yaml', text);
    return ['--values', file];
  };
  const ofAgent = ['-n', NAMESPACE];
  const daemonSet = `daemonset/${RELEASE}`;
  const agentPod = () => node.kubectl(...ofAgent, 'get', 'pods', '-o', 'jsonpath={.items[*].metadata.name}');
  const agentPid = () => node.machine.run('pgrep', '--full', 'policy-log-agent.mjs').trim();
  const log = () => node.kubectl(...ofAgent, 'logs', daemonSet);
  const events = () => node.kubectl(...ofAgent, 'get', 'events', '-o', 'jsonpath={.items[*].reason}');
  const metric = async (name: string) => {
    const ip = node.kubectl(...ofAgent, 'get', 'pods', '-o', 'jsonpath={.items[0].status.podIP}');
    const text = await (await fetch(`http://${ip}:9660/metrics`)).text();
    return Number(new RegExp(`^${name}(?:\\{.*\\})? (.*)$`, 'm').exec(text)?.[1]);
  };
  /** Packets that the LOG rules have logged: the kernel's own count of lines. */
  const logged = () => {
    const lines = node.machine.run('iptables', '-nvxL', 'FORWARD').split('\n');
    return lines
      .filter((line) => / LOG /.test(line))
      .reduce((sum, line) => sum + Number(line.trim().split(/\s+/)[0]), 0);
  };

  it('takes the chart with one command, and its pod becomes ready', () => {
    transcript.section('Installation');
    helm('install', RELEASE, CHART, ...ofAgent, '--create-namespace', ...values([sink()]));
    kubectl(...ofAgent, 'rollout', 'status', daemonSet, '--timeout=60s');
    expect(kubectl(...ofAgent, 'get', 'pods', '-o', 'wide')).toMatch(/1\/1 +Running/);
  });

  it('runs it without any privilege, as the kernel says', () => {
    transcript.section('What the process may do');
    const pid = agentPid();
    const status = node.machine.run(
      'grep',
      '-E',
      '^(Uid|Groups|CapEff|CapBnd|NoNewPrivs|Seccomp):',
      `/proc/${pid}/status`,
    );
    transcript.command("grep -E '^(Uid|Groups|CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/PID/status", status);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    const path =
      "jsonpath={.items[0].spec.securityContext}{'\\n'}{.items[0].spec.containers[0].securityContext}";
    kubectl(...ofAgent, 'get', 'pods', '-o', path);
  });

  it('passes helm test', () => {
    node.publish(NAMESPACE, RELEASE);
    expect(helm('test', RELEASE, ...ofAgent)).toMatch(/^Phase: +Succeeded/m);
  });

  describe('with two pods between which rules log and drop', () => {
    let client = '';
    let served = '';
    /** Every address that our pods had: other tests on this machine may make the same kernel speak. */
    const addresses = new Set<string>();

    const ours = () =>
      server.records.items.filter(({ connection: { src_ip, dest_ip } }) =>
        [src_ip, dest_ip].some((ip) => ip !== undefined && addresses.has(ip)),
      );
    const counted = () => ours().reduce((sum, { count }) => sum + count, 0);
    const repeated = () => ours().length - new Set(ours().map(({ id }) => id)).size;
    const side = (deployment: string) => ({
      pod_name: expect.stringMatching(`^${deployment}-`),
      namespace: 'default',
      workload_name: deployment,
      workload_kind: 'Deployment',
      resolved_by: 'interface',
    });
    const record = (what: string, isIt: (record: FlowRecord) => boolean) =>
      server.records.until(what, () => ours().some(isIt), 60_000).then(() => ours().find(isIt)!);

    const run = async (app: string, container: object) => {
      node.api.apply([deployment(app, container)]);
      const podIp = ['get', 'pods', '-l', `app=${app}`, '-o', 'jsonpath={.items[0].status.podIP}'];
      const ip = await node.until(`the ${app} runs`, () => node.kubectl(...podIp));
      addresses.add(ip);
      return ip;
    };
    const runClient = async () => {
      const env = [
        { name: 'SERVER', value: served },
        { name: 'OUTSIDE', value: node.machine.outsideAddress },
      ];
      client = await run('client', {
        image: AGENT_IMAGE,
        command: ['/usr/local/bin/node', '--eval', SENDER],
        env,
      });
    };
    /** Ends the traffic; resolves when rsyslog has written what the kernel said of it. */
    const endClient = async () => {
      node.kubectl('delete', 'deployment', 'client', '--wait');
      await node.until('the client is gone', () => node.kubectl('get', 'pods', '-l', 'app=client') === '');
      const port = await sendDenied(served);
      const last = new RegExp(`SPT=${port} DPT=${DENIED_PORT} `);
      await node.until('rsyslog has written all', () => last.test(readFileSync(rsyslog.file, 'utf8')));
    };
    /** What became of the packets: counted by the kernel, written by rsyslog, received by the store. */
    const settle = async () => {
      const packets = logged();
      const { lines, distinct } = linesOf(readFileSync(rsyslog.file, 'utf8'), [...addresses]);
      await server.records.until('every line is counted', () => counted() >= distinct, 60_000);
      const figures = {
        packets,
        lines,
        distinct,
        counted: counted(),
        records: ours().length,
        repeated: repeated(),
      };
      transcript.say(
        'What the LOG rules counted; the lines that rsyslog wrote, and how many of them the kernel said once; what the store got:',
      );
      transcript.say(`\`\`\`json\n${JSON.stringify(figures)}\n\`\`\``);
      return figures;
    };

    beforeAll(async () => {
      transcript.section('Two pods, and rules between them');
      const script = `while :; do printf 'HTTP/1.0 200 OK\\r\\n\\r\\n' | nc -l -p ${ALLOWED_PORT}; done`;
      served = await run('server', { image: TOOLS_IMAGE, command: ['sh', '-c', script] });

      const forward = (...rule: string[]) => node.machine.run('iptables', '-A', 'FORWARD', ...rule);
      const logAs = (prefix: string) => ['-j', 'LOG', '--log-prefix', `${prefix}: `, '--log-level', '5'];
      const allowed = ['-d', served, '-p', 'tcp', '--syn', '--dport', String(ALLOWED_PORT)];
      forward(...allowed, ...logAs('calico-packet'));
      for (const port of [DENIED_PORT, OUTSIDE_PORT]) {
        const denied = ['-p', 'udp', '--dport', String(port)];
        forward(...denied, ...logAs('calico-drop'));
        forward(...denied, '-j', 'DROP');
      }
      transcript.command('iptables -S FORWARD', node.machine.run('iptables', '-S', 'FORWARD'));

      await runClient();
      kubectl('get', 'pods', '-o', 'wide');
    });

    it('says which pods of which workloads a rule kept apart', async () => {
      const denied = await record(
        'a denied packet',
        ({ connection }) => connection.dest_port === DENIED_PORT,
      );
      transcript.say('The first record of what the client was denied:');
      transcript.say(`\`\`\`json\n${JSON.stringify(denied, undefined, 2)}\n\`\`\``);
      expect(denied).toMatchObject({
        connection: { src_ip: client, dest_ip: served, protocol: 'udp' },
        disposition: 'deny',
        node_name: 'node-1',
        src: side('client'),
        dest: side('server'),
      });
      // Both interfaces are pods' ones: such a packet neither comes to the node nor leaves it.
      expect(denied.connection).not.toHaveProperty('direction');
    });

    it('says what a rule that only logs saw, without a verdict', async () => {
      await fetch(`http://${served}:${ALLOWED_PORT}`);
      const seen = await record(
        'an allowed connection',
        ({ connection }) => connection.dest_port === ALLOWED_PORT,
      );
      expect(seen).toMatchObject({
        connection: { src_ip: node.machine.outsideAddress, direction: 'ingress' },
        disposition: 'unknown',
        src: { instance: node.machine.outsideAddress },
        dest: side('server'),
      });
    });

    it('says in which direction a packet crossed the border of the node', async () => {
      const out = await record('one that leaves', ({ connection }) => connection.dest_port === OUTSIDE_PORT);
      expect(out).toMatchObject({ connection: { direction: 'egress' }, src: side('client') });
      await sendDenied(client);
      const into = await record('one that comes', ({ connection }) => connection.dest_ip === client);
      expect(into).toMatchObject({
        connection: { src_ip: node.machine.outsideAddress, direction: 'ingress' },
        dest: side('client'),
      });
    });

    it('applies a ConfigMap that is edited with kubectl, and refuses a wrong one', async () => {
      transcript.section('A configuration that changes');
      const edit = (next: object) => {
        const patch = JSON.stringify({ data: { 'config.yaml': stringify(next) } });
        node.kubectl(...ofAgent, 'patch', 'configmap', RELEASE, '--type=merge', '-p', patch);
        return Date.now();
      };
      const changedMs = edit(config([sink({ batch: { records_max: 7 } })]));
      await node.until('the edited configuration is in force', () => log().includes('is in force'));
      transcript.say(
        `A ConfigMap that was edited is in force ${((Date.now() - changedMs) / 1000).toFixed(1)} s later.`,
      );
      edit({ ...config([sink()]), colour: 'blue' });
      await node.until('the wrong one is refused', () => log().includes('is refused'));
      expect(await metric('policy_log_agent_config_last_reload_successful')).toBe(0);
      await node.until('an Event says so', () => events().includes('InvalidConfiguration'));
      transcript.say('A wrong one is refused:');
      kubectl(...ofAgent, 'events', '--types=Warning');
    });

    it('applies helm upgrade with a changed sink, and helm rollback, in the running pod', async () => {
      const pod = agentPod();
      const inForce = () => log().split('is in force').length - 1;
      const before = inForce();
      helm('upgrade', RELEASE, CHART, ...ofAgent, ...values([sink({ compression: 'gzip' })]));
      await node.until('the upgrade is in force', () => inForce() === before + 1);
      helm('rollback', RELEASE, '1', ...ofAgent);
      await node.until('the rollback is in force', () => inForce() === before + 2);
      expect(agentPod()).toBe(pod);
      expect(await metric('policy_log_agent_config_last_reload_successful')).toBe(1);
      transcript.command('kubectl -n policy-log-agent logs daemonset/policy-log-agent', log());
    });

    it('loses nothing and repeats nothing when the pod is replaced', async () => {
      transcript.section('A pod that is replaced');
      const pod = agentPod();
      kubectl(...ofAgent, 'delete', 'pod', pod);
      kubectl(...ofAgent, 'rollout', 'status', daemonSet, '--timeout=60s');
      expect(agentPod()).not.toBe(pod);
      await endClient();
      const figures = await settle();
      expect(figures).toMatchObject({ counted: figures.packets, repeated: 0 });
    });

    it('loses nothing and repeats nothing of what rsyslog writes when that is restarted', async () => {
      transcript.section('An rsyslog that is restarted');
      const before = ours().length;
      await runClient();
      await server.records.until('records of the new client', () => ours().length > before, 60_000);
      await rsyslog.stop();
      rsyslog.start();
      await endClient();
      // Of the lines that the kernel said, rsyslog itself may lose the one that it reads while it stops.
      const figures = await settle();
      expect(figures).toMatchObject({ counted: figures.distinct, repeated: 0 });
    });

    it('uses little, as its control group says, and has nothing to complain of', async () => {
      transcript.section('What it uses');
      const pid = agentPid();
      const usage = podUsage(node.machine.run('cat', `/proc/${pid}/cgroup`));
      const requests = await metric('policy_log_agent_kubernetes_requests_total');
      const received = await metric('policy_log_agent_kubernetes_received_bytes_total');
      const text = `${(usage.memoryBytes / MIB).toFixed(1)} MiB of memory and ${usage.cpuSeconds.toFixed(2)} s of CPU since its start; ${requests} requests to the API server, ${received} bytes of answers.`;
      transcript.say(text);
      console.log(text);
      expect(usage.memoryBytes).toBeLessThan(128 * MIB);
      const pods = node.kubectl('get', '--raw', '/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1');
      const each = pods.length / JSON.parse(pods).items.length;
      transcript.say(`To the API server a pod of this node is ${each.toFixed(0)} bytes of JSON.`);
      const complaints = log()
        .trim()
        .split('\n')
        .filter((line) => !/^\{"level":"(info|debug)"/.test(line));
      expect(complaints).toEqual([]);
    });
  });

  it('runs as another user, too, where the logs may be read by it and the state goes with the pod', async () => {
    transcript.section('As another user');
    const readme = readFileSync(join(CHART, 'README.md'), 'utf8');
    const asReadme = parse(/```yaml\n(podSecurityContext:.*?)```/s.exec(readme)![1]!);
    helm('upgrade', RELEASE, CHART, ...ofAgent, ...values([sink()], asReadme));
    kubectl(...ofAgent, 'rollout', 'status', daemonSet, '--timeout=60s');
    const pid = agentPid();
    expect(node.machine.run('grep', '^Uid:', `/proc/${pid}/status`)).toMatch(/^Uid:\t65532\t/);
    await node.until('it reads', async () => (await metric('policy_log_agent_input_lines_total')) > 0);
  });

  it('is left without a trace by helm uninstall', async () => {
    transcript.section('The end');
    helm('uninstall', RELEASE, ...ofAgent, '--wait');
    const all = () => node.kubectl(...ofAgent, 'get', 'all,configmap,serviceaccount', '-o', 'name');
    const ofEveryNamespace = 'configmap/kube-root-ca.crt\nserviceaccount/default\n';
    await node.until('everything is gone', () => all() === ofEveryNamespace);
    transcript.write();
  });
});
