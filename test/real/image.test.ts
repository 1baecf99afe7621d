import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { freePort } from '../helpers/free-port.ts';
import { CHART } from './helm.ts';
import { AGENT_IMAGE, buildAgentImage } from './images.ts';
import { podman, podmanOutput } from './podman.ts';

const MIB = 1024 * 1024;

const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-image-'));
const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8'));

// Owned as rsyslog on Ubuntu owns it: readable for the group adm (4) and nobody else.
const SYSLOG_UID = 104;
const ADM_GID = 4;
const LINE =
  'Sep  5 08:00:00 node-1 kernel: [12345.678901] calico-packet: IN=cali0ef24b61d8c OUT=eth0 ' +
  'MAC=ee:ee:ee:ee:ee:ee:06:8f:9a:5b:1c:2d:08:00 SRC=10.0.0.1 DST=10.0.0.2 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ' +
  'ID=1 DF PROTO=TCP SPT=40000 DPT=443 WINDOW=64860 RES=0x00 SYN URGP=0\n';

/** Options of `podman run` that every container of these tests has: what the chart says of containers. */
function hardened(): string[] {
  const { readOnlyRootFilesystem, allowPrivilegeEscalation, capabilities } = values.securityContext;
  return [
    ...(readOnlyRootFilesystem ? ['--read-only', '--read-only-tmpfs=false'] : []),
    ...(allowPrivilegeEscalation ? [] : ['--security-opt', 'no-new-privileges']),
    ...capabilities.drop.map((name: string) => `--cap-drop=${name.toLowerCase()}`),
    // What a container here may ask for at most, where the machine itself has no more.
    ...[
      '--ulimit',
      'nofile=20000:20000',
      '--ulimit',
      'nproc=1000:1000',
      '--pull',
      'never',
      '--network',
      'host',
    ],
  ];
}

/** And what it says of pods: user, group and further groups. */
function asInPod(groups: number[] = values.podSecurityContext.supplementalGroups): string[] {
  const { runAsUser, runAsGroup } = values.podSecurityContext;
  return [
    '--user',
    `${runAsUser}:${runAsGroup}`,
    ...groups.flatMap((group) => ['--group-add', String(group)]),
  ];
}

/** Volumes of a node: its configuration and logs read-only, its state, and its time zone. */
function node(name: string, config: object): string[] {
  const paths = Object.fromEntries(['config', 'log', 'state'].map((part) => [part, join(dir, name, part)]));
  for (const path of Object.values(paths)) mkdirSync(path, { recursive: true });
  writeFileSync(join(paths.config!, 'config.yaml'), stringify(config));
  const syslog = join(paths.log!, 'syslog');
  if (!existsSync(syslog)) writeFileSync(syslog, LINE);
  chownSync(syslog, SYSLOG_UID, ADM_GID);
  chmodSync(syslog, 0o640);
  return [
    ...['--volume', `${paths.config}:/etc/policy-log-agent:ro`, '--volume', `${paths.log}:/var/log:ro`],
    ...['--volume', `${paths.state}:/var/lib/policy-log-agent`],
    ...['--volume', '/usr/share/zoneinfo/Asia/Kolkata:/etc/localtime:ro', '--env', 'NODE_NAME=node-1'],
  ];
}

const config = (port = 0) => ({
  node: '${NODE_NAME}',
  inputs: [{ type: 'file', format: 'syslog', paths: ['/var/log/syslog'], start: 'beginning' }],
  sinks: [{ name: 'stdout', type: 'stdout' }],
  http: { listen: `127.0.0.1:${port}` },
});

beforeAll(buildAgentImage);

afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
});

describe('the image', () => {
  it('is small', () => {
    const bytes = Number(podmanOutput('image', 'inspect', '--format', '{{.Size}}', AGENT_IMAGE));
    console.log(`image: ${(bytes / MIB).toFixed(0)} MiB unpacked`);
    expect(bytes).toBeLessThan(200 * MIB);
  });

  it('says what it is and how to run and stop it', () => {
    const [{ Config }] = JSON.parse(podmanOutput('image', 'inspect', AGENT_IMAGE));
    expect(Config).toMatchObject({
      User: '65532:65532',
      Entrypoint: [
        '/usr/local/bin/node',
        '--single-threaded-gc',
        '--no-concurrent-recompilation',
        '--no-concurrent-sparkplug',
        '--max-semi-space-size=1',
        '/app/policy-log-agent.mjs',
      ],
      Cmd: ['run', '--config', '/etc/policy-log-agent/config.yaml'],
      StopSignal: 'SIGTERM',
      Labels: { 'org.opencontainers.image.title': 'policy-log-agent' },
    });
    expect(Config.Env).toContain('NODE_ENV=production');
  });

  it('holds the bundle, Node.js, and no shell', () => {
    const root = podmanOutput('image', 'mount', AGENT_IMAGE);
    try {
      const there = (path: string) => existsSync(join(root, path));
      expect(
        ['app/policy-log-agent.mjs', 'app/chunks', 'app/LICENSE', 'usr/local/bin/node'].filter(there),
      ).toHaveLength(4);
      expect(['bin/sh', 'usr/bin/env', 'usr/local/bin/npm', 'src', 'app/node_modules'].filter(there)).toEqual(
        [],
      );
    } finally {
      podmanOutput('image', 'unmount', AGENT_IMAGE);
    }
  });
});

describe('as the user of the image, on a read-only root, without capabilities', () => {
  const run = (...args: string[]) => podman('run', '--rm', ...hardened(), ...args);

  it('has no privilege', () => {
    const script =
      "console.log(process.getuid(), /^CapEff:\\t(.*)$/m.exec(fs.readFileSync('/proc/self/status'))[1])";
    const { stdout } = run('--entrypoint', '/usr/local/bin/node', AGENT_IMAGE, '--eval', script);
    expect(stdout).toBe('65532 0000000000000000\n');
  });

  it('validates a configuration', () => {
    const { status, stdout } = run(
      ...node('good', config()),
      AGENT_IMAGE,
      'validate',
      '--config',
      '/etc/policy-log-agent/config.yaml',
    );
    expect({ status, effective: parse(stdout) }).toMatchObject({ status: 0, effective: { node: 'node-1' } });
  });

  it('refuses a wrong one with 78', () => {
    const wrong = { ...config(), sinks: [{ name: 'stdout', type: 'stdin' }] };
    expect(run(...node('wrong', wrong), AGENT_IMAGE).status).toBe(78);
  });
});

describe('as the chart runs it', () => {
  const run = (...args: string[]) => podman('run', '--rm', ...hardened(), ...args);

  it("reads a file of another user's in its group, in the node's time zone, and keeps its state", () => {
    const volumes = node('once', config());
    const agent = [AGENT_IMAGE, 'run', '--config', '/etc/policy-log-agent/config.yaml', '--once'];
    const once = () => run(...asInPod(), ...volumes, ...agent);
    const first = once();
    expect(first.status, first.stderr).toBe(0);
    const records = first.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records).toMatchObject([
      { connection: { src_ip: '10.0.0.1', dest_ip: '10.0.0.2', dest_port: 443 }, node_name: 'node-1' },
    ]);
    expect(records[0].timestamp).toMatch(/-09-05T02:30:00(\.0+)?Z$/);

    const second = once();
    expect({ status: second.status, stdout: second.stdout }).toEqual({ status: 0, stdout: '' });
  });

  it('could not read it without that group', () => {
    const script = "fs.readFileSync('/var/log/syslog')";
    const { status, stderr } = run(
      ...asInPod([]),
      ...node('refused', config()),
      '--entrypoint',
      '/usr/local/bin/node',
      AGENT_IMAGE,
      '--eval',
      script,
    );
    expect(status).toBe(1);
    expect(stderr).toContain('EACCES');
  });

  it('answers its probes, and ends with 0 on SIGTERM', async () => {
    const port = await freePort();
    const container = podmanOutput(
      'run',
      '--detach',
      ...hardened(),
      ...asInPod(),
      ...node('term', config(port)),
      AGENT_IMAGE,
    );
    try {
      const status = (probe: { httpGet: { path: string } }) =>
        fetch(`http://127.0.0.1:${port}${probe.httpGet.path}`).then((response) => response.status);
      await expect.poll(() => status(values.readinessProbe).catch(() => 0), { timeout: 20_000 }).toBe(200);
      expect(await status(values.livenessProbe)).toBe(200);
      podmanOutput('stop', '--time', String(values.terminationGracePeriodSeconds), container);
      expect(podmanOutput('inspect', '--format', '{{.State.ExitCode}}', container)).toBe('0');
    } finally {
      podman('rm', '--force', container);
    }
  });
});
