import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { AGENT_PATH } from '../helpers/agent-child.ts';
import { CHART, helm, type Manifest, only, render } from './helm.ts';

const VALUES = ['values.yaml', ...readdirSync(join(CHART, 'ci')).map((file) => `ci/${file}`)];
const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-helm-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What `policy-log-agent validate` says about the rendered ConfigMap, in the environment of the container. */
function validate(manifests: Manifest[]) {
  const file = join(dir, 'config.yaml');
  const ofConfig = manifests.filter(({ data }) => data?.['config.yaml'] !== undefined);
  writeFileSync(file, only(ofConfig, 'ConfigMap').data['config.yaml']);
  const { env } = agentContainer(manifests);
  const values = Object.fromEntries(env.map(({ name }: { name: string }) => [name, `value-of-${name}`]));
  return spawnSync(process.execPath, [AGENT_PATH, 'validate', '--config', file], {
    env: values,
    encoding: 'utf8',
  });
}

const podSpec = (manifests: Manifest[]) => only(manifests, 'DaemonSet').spec.template.spec;
const agentContainer = (manifests: Manifest[]) => podSpec(manifests).containers[0];
const volume = (manifests: Manifest[], name: string) =>
  podSpec(manifests).volumes.find((item: { name: string }) => item.name === name);
const mount = (manifests: Manifest[], name: string) =>
  agentContainer(manifests).volumeMounts.find((item: { name: string }) => item.name === name);

function message(refused: () => unknown): string {
  try {
    refused();
  } catch (error) {
    return String(error);
  }
  return '';
}

describe.each(VALUES)('with %s', (file) => {
  const values = ['--values', join(CHART, file)];

  it('lints', () => {
    expect(helm('lint', '--strict', CHART, ...values)).toContain('0 chart(s) failed');
  });

  it('renders a configuration that the agent accepts', () => {
    const { status, stderr } = validate(render(...values));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });

  it('renders a hardened pod', () => {
    const manifests = render(...values);
    expect(podSpec(manifests)).toMatchObject({
      // A token only where the API server is asked for something.
      automountServiceAccountToken: manifests.some(({ kind }) => /Role$/.test(kind)),
      securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(agentContainer(manifests).securityContext).toEqual({
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    for (const namespace of ['hostNetwork', 'hostPID', 'hostIPC']) {
      expect(podSpec(manifests)).not.toHaveProperty(namespace);
    }
  });

  it('mounts nothing of the node writable but the state folder', () => {
    const manifests = render(...values);
    const writable = agentContainer(manifests)
      .volumeMounts.filter((item: { readOnly?: boolean }) => item.readOnly !== true)
      .map((item: { name: string }) => volume(manifests, item.name));
    expect(writable).toEqual([volume(manifests, 'state')]);
  });

  it('names every object after the release, in its namespace, with the common labels', () => {
    for (const manifest of render(...values).filter(({ kind }) => kind !== 'Secret')) {
      // What belongs to no namespace has it in its name.
      const isOfCluster = /^Cluster|^SecurityContextConstraints$/.test(manifest.kind);
      expect(manifest.metadata).toMatchObject(
        isOfCluster
          ? { name: 'monitoring-netlog-policy-log-agent' }
          : { name: expect.stringMatching(/^netlog-policy-log-agent/), namespace: 'monitoring' },
      );
      expect(manifest.metadata.labels).toMatchObject({ 'app.kubernetes.io/instance': 'netlog' });
    }
  });
});

describe('the chart', () => {
  it('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(join(CHART, '../../package.json'), 'utf8'));
    const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8'));
    expect(chart).toMatchObject({ version, appVersion: version });
    const [image] = parse(chart.annotations['artifacthub.io/images']);
    expect(image.image).toBe(agentContainer(render()).image);
  });
});

describe('the configuration', () => {
  it('arrives as it was written, variables and large numbers included', () => {
    const { stdout } = validate(render('--set-json', 'config.aggregate={"keys_max":1000000}'));
    expect(stdout).toContain('keys_max: 1000000');
    expect(stdout).toContain('node: value-of-NODE_NAME');
  });

  it('decides the port and the state folder everywhere', () => {
    const manifests = render('--values', join(CHART, 'ci/calico-http-values.yaml'));
    expect(agentContainer(manifests).ports).toEqual([{ name: 'metrics', containerPort: 9670 }]);
    expect(only(manifests, 'Service').spec.ports[0].port).toBe(9670);
    expect(mount(manifests, 'state').mountPath).toBe('/var/lib/flow-state');
  });

  it.each([
    ['an address of its own', '127.0.0.1:9000', 9000],
    ['an IPv6 address', '[::]:9001', 9001],
  ])('takes the port from %s', (_, listen, port) => {
    const manifests = render('--set-json', `config.http={"listen":"${listen}"}`);
    expect(agentContainer(manifests).ports[0].containerPort).toBe(port);
  });

  it('does not roll the pods when it changes, for the agent reloads it', () => {
    const daemonSet = (...args: string[]) => only(render(...args), 'DaemonSet').spec;
    expect(daemonSet('--set', 'config.log.level=debug')).toEqual(daemonSet());
    expect(agentContainer(render()).volumeMounts).toContainEqual(
      expect.not.objectContaining({ subPath: expect.anything() }),
    );
  });

  it.each([
    ['ConfigMap', 'existingConfigMap', { configMap: { name: 'mine' } }],
    ['Secret', 'existingSecret', { secret: { secretName: 'mine' } }],
  ])('is not rendered where a %s exists', (_, value, source) => {
    const manifests = render('--set', `${value}=mine`);
    expect(manifests.map(({ kind }) => kind)).not.toContain('ConfigMap');
    expect(volume(manifests, 'config')).toEqual({ name: 'config', ...source });
  });
});

describe('the permissions', () => {
  const rules = (kind: string, config: object) =>
    render('--set-json', `config=${JSON.stringify(config)}`)
      .filter((manifest) => manifest.kind === kind)
      .flatMap((role) => role.rules)
      .map(({ apiGroups, resources, verbs }) => `${apiGroups}/${resources} ${verbs}`);
  const kubernetes = (more: object = {}) => ({ enrich: { kubernetes: { enabled: true, ...more } } });
  const pods = '/pods list,watch';

  it.each([
    ['pods', kubernetes(), [pods]],
    ['a cluster', kubernetes({ scope: 'cluster' }), ['/pods,nodes,services list,watch']],
    ['top workloads', kubernetes({ workload: 'top' }), [pods, 'apps/replicasets get', 'batch/jobs get']],
    [
      'policies',
      kubernetes({ candidate_policies: true }),
      [pods, 'networking.k8s.io/networkpolicies list,watch'],
    ],
    [
      "Calico's networks",
      kubernetes({ network_sets: 'crd.projectcalico.org/v1' }),
      [pods, 'crd.projectcalico.org/globalnetworksets,networksets list,watch'],
    ],
    ['Events', kubernetes({ events: { enabled: true } }), [pods, '/events create']],
    [
      'annotated policies',
      { ...kubernetes(), select: { allow: { delegate: true } } },
      [pods, 'networking.k8s.io/networkpolicies list,watch'],
    ],
    [
      'annotated namespaces',
      { ...kubernetes(), select: { deny: { delegate: true } } },
      ['/pods,namespaces list,watch'],
    ],
    ['nothing', { enrich: { kubernetes: { enabled: false, scope: 'cluster', workload: 'top' } } }, []],
  ])('are those that are needed to ask for %s', (_, config, expected) => {
    expect(rules('ClusterRole', config)).toEqual(expected);
  });

  it('are to write Events in the own namespace alone, where a refused configuration makes one', () => {
    expect(rules('Role', {})).toEqual(['/events create']);
    expect(rules('Role', { reload: { events: false } })).toEqual([]);
  });

  it('are no more, and no token is there, where nothing is asked', () => {
    const nothing = { ...kubernetes({ enabled: false }), reload: { events: false } };
    const manifests = render('--set-json', `config=${JSON.stringify(nothing)}`);
    expect(manifests.filter(({ kind }) => /Role/.test(kind))).toEqual([]);
    expect(podSpec(manifests).automountServiceAccountToken).toBe(false);
  });

  it('can be added to', () => {
    const rule = { apiGroups: ['a'], resources: ['b'], verbs: ['get'] };
    const manifests = render('--set-json', `rbac.extraRules=${JSON.stringify([rule])}`);
    expect(only(manifests, 'ClusterRole').rules).toContainEqual(rule);
  });
});

describe('values that are wrong are refused, and said where:', () => {
  const sinks = (...list: object[]) => ['--set-json', `config.sinks=${JSON.stringify(list)}`];

  it.each([
    ['a value that the chart has not', ['--set', 'imagePullSecret=a'], "'imagePullSecret' not allowed"],
    [
      'a word that a value may not be',
      ['--set', 'state.kind=pvc'],
      "/state/kind': value must be one of 'hostPath', 'emptyDir'",
    ],
    ['a tag that YAML takes for a number', ['--set', 'image.tag=12'], "/image/tag': got number, want string"],
    [
      'a key that the agent has not',
      ['--set', 'config.slect.allow=1'],
      "/config': additional properties 'slect' not allowed",
    ],
    [
      'a word that the agent does not know',
      ['--set', 'config.log.level=loud'],
      "/config/log/level': value must be one of",
    ],
    ['a sink of no type', sinks({ name: 'a', type: 'htp' }), "/config/sinks/0/type': 'htp' does not match"],
    ['a key that the sink has not', sinks({ name: 'a', type: 'http', urll: '' }), "'urll' not allowed"],
    [
      'a sink that lacks a key',
      sinks({ name: 'a', type: 'http' }),
      "/config/sinks/0': missing property 'url'",
    ],
    ['no sink', sinks(), "/config/sinks': minItems: got 0, want 1"],
  ])('%s', (_, args, message) => {
    expect(() => render(...args)).toThrow(message);
  });

  it('and only those of the sink that was meant', () => {
    const text = message(() =>
      render(...sinks({ name: 'a', type: 'http', url: 'http://a', colour: 'blue' })),
    );
    expect(text.match(/- at/g)).toHaveLength(2);
  });

  it('but not a variable', () => {
    const config = validate(
      render(...sinks({ name: 'a', type: 'http', url: '${STORE}', method: '${METHOD}' })),
    );
    expect(config.stderr).toContain('sinks[0].method');
  });
});

describe('values', () => {
  it('leave the agent longer to stop than it takes', () => {
    const manifests = render();
    const { stdout } = validate(manifests);
    const shutdownTimeoutS = Number(/^shutdown_timeout: (\d+)s$/m.exec(stdout)?.[1]);
    expect(podSpec(manifests).terminationGracePeriodSeconds).toBeGreaterThan(shutdownTimeoutS);
  });

  it('run the pod on every node, whatever its taints', () => {
    expect(podSpec(render()).tolerations).toEqual([{ operator: 'Exists' }]);
  });

  it('admit the pods to OpenShift, with the type that may read logs', () => {
    const manifests = render('--set', 'openShift.enabled=true,serviceAccount.name=me');
    expect(podSpec(manifests).securityContext.seLinuxOptions).toEqual({ type: 'spc_t' });
    expect(only(manifests, 'SecurityContextConstraints')).toMatchObject({
      allowPrivilegedContainer: false,
      requiredDropCapabilities: ['ALL'],
      users: ['system:serviceaccount:monitoring:me'],
    });
  });

  it.each([
    ['the tag of the chart', [], 'repo:0.1.0'],
    ['a tag', ['--set', 'image.tag=1.2.3'], 'repo:1.2.3'],
    ['a digest before a tag', ['--set', 'image.tag=1.2.3,image.digest=sha256:ab'], 'repo@sha256:ab'],
  ])('name the image by %s', (_, args, image) => {
    expect(agentContainer(render('--set', 'image.repository=repo', ...args)).image).toBe(image);
  });

  it('keep the state on the node, or in the pod', () => {
    expect(volume(render(), 'state').hostPath).toEqual({
      path: '/var/lib/policy-log-agent',
      type: 'DirectoryOrCreate',
    });
    expect(volume(render('--set', 'state.kind=emptyDir'), 'state').emptyDir).toEqual({ sizeLimit: '1Gi' });
  });

  it("take the node's time zone, or one that is named", () => {
    expect(mount(render(), 'localtime')).toEqual({
      name: 'localtime',
      mountPath: '/etc/localtime',
      readOnly: true,
    });
    const named = render('--set', 'timezone=Europe/Berlin');
    expect(mount(named, 'localtime')).toBeUndefined();
    expect(agentContainer(named).env).toContainEqual({ name: 'TZ', value: 'Europe/Berlin' });
  });

  describe('with a NetworkPolicy', () => {
    const rules = (...args: string[]) =>
      only(render('--set', 'networkPolicy.enabled=true', ...args), 'NetworkPolicy').spec;
    const ports = (egress: { ports: { port: number }[] }[]) =>
      egress.slice(2).map((rule) => rule.ports.map(({ port }) => port));
    const sinks = (...urls: string[]) =>
      `config.sinks=${JSON.stringify(urls.map((url, index) => ({ name: `s${index}`, type: 'http', url })))}`;

    it('let in scrapes alone', () => {
      const manifests = render('--values', join(CHART, 'ci/calico-http-values.yaml'));
      expect(only(manifests, 'NetworkPolicy').spec).toMatchObject({
        podSelector: { matchLabels: only(manifests, 'DaemonSet').spec.selector.matchLabels },
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ ports: [{ port: 'metrics' }], from: [{ namespaceSelector: {} }] }],
      });
    });

    it('let out nothing but DNS where no sink has an address and nothing is asked of the API server', () => {
      expect(rules('--values', join(CHART, 'ci/minimal-values.yaml')).egress).toMatchObject([
        { ports: [{ port: 53 }, { port: 53 }] },
      ]);
    });

    it('let out to the API server where it is asked', () => {
      expect(rules().egress).toMatchObject([{}, { ports: [{ port: 443 }, { port: 6443 }] }]);
    });

    it("let out the sinks' ports, and what is named besides", () => {
      const urls = ['http://a', 'https://b/path', 'http://[fd00::1]:9200', 'https://c:9243/x:1'];
      const more = '[{"ports":[{"port":988}]}]';
      const { egress } = rules('--set-json', sinks(...urls), '--set-json', `networkPolicy.egress=${more}`);
      expect(ports(egress)).toEqual([[443, 80, 9200, 9243], [988]]);
    });

    it('let out to where a cloud gives credentials, and to syslog over UDP', () => {
      const bucket = { name: 'a', type: 's3', bucket: 'flows', region: 'eu-central-1' };
      const syslog = { name: 'b', type: 'syslog', host: 'log', transport: 'udp' };
      const { egress } = rules('--set-json', `config.sinks=${JSON.stringify([bucket, syslog])}`);
      expect(ports(egress)).toEqual([
        [443, 514],
        [80, 988],
      ]);
      expect(egress[2].ports[1]).toEqual({ port: 514, protocol: 'UDP' });
      expect(egress[3].to).toEqual([{ ipBlock: { cidr: '169.254.0.0/16' } }]);
    });

    it('want the port of a sink whose address is a secret', () => {
      expect(() => rules('--set-json', sinks('${STORE}'))).toThrow('the port of sink "s0" cannot be told');
    });
  });

  it('refuse a ServiceMonitor without a Service', () => {
    expect(() => render('--set', 'serviceMonitor.enabled=true,service.enabled=false')).toThrow('podMonitor');
  });
});
