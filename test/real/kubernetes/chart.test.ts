import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { built, versions } from '../cache.ts';
import { CHART, helm, render } from '../helm.ts';
import { ApiServer } from './api-server.ts';

const NAMESPACE = 'monitoring';
const RELEASE = 'netlog';
const NAME = 'netlog-policy-log-agent';
const VALUES = ['values.yaml', ...readdirSync(join(CHART, 'ci')).map((file) => `ci/${file}`)];
/** Every kind that the chart can make. */
const KINDS = [
  'daemonset,configmap,serviceaccount,service,networkpolicy,secret,pod,role,rolebinding,clusterrole,clusterrolebinding',
  'podmonitor,servicemonitor,prometheusrule,securitycontextconstraints',
].join();

describe('the chart on a real API server', () => {
  const server = new ApiServer();
  const dir = mkdtempSync(join(tmpdir(), 'policy-log-agent-chart-'));

  beforeAll(async () => {
    await server.start();
    const { PROMETHEUS_OPERATOR, OPENSHIFT_API } = versions;
    server.kubectl(['create', '-f', built(`definitions-${PROMETHEUS_OPERATOR}-${OPENSHIFT_API}`)]);
    server.kubectl(['wait', 'crd', '--all', '--for=condition=Established']);
    server.kubectl(['create', 'namespace', NAMESPACE]);
    // No controller makes it here, and the pod of `helm test` runs as it.
    server.kubectl(['create', 'serviceaccount', 'default', '-n', NAMESPACE]);
  });
  afterAll(async () => {
    await server.close();
    rmSync(dir, { recursive: true });
  });

  const kubectl = (...args: string[]) => server.kubectl(['-n', NAMESPACE, ...args]);
  const withHelm = (...args: string[]) =>
    helm(...args, '--namespace', NAMESPACE, '--kubeconfig', server.adminKubeconfig);
  const valuesFile = (values: object) => {
    const file = join(dir, 'values.yaml');
    writeFileSync(file, stringify(values));
    return ['--values', file];
  };
  const ofRelease = () =>
    kubectl('get', KINDS, '-l', `app.kubernetes.io/instance=${RELEASE}`, '-o', 'name').trim().split('\n');

  it.each(VALUES)('makes objects with %s that the server takes, every field known', (file) => {
    const manifests = render('--values', join(CHART, file));
    const list = { apiVersion: 'v1', kind: 'List', items: manifests };
    const dryRun = ['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'];
    const answer = server.kubectl(dryRun, JSON.stringify(list));
    expect(answer.trim().split('\n')).toHaveLength(manifests.length);
    expect(withHelm('install', RELEASE, CHART, '--values', join(CHART, file), '--dry-run=server')).toContain(
      NAME,
    );
  });

  describe('for those without Helm', () => {
    const DEPLOY = join(CHART, '../../deploy');
    const dryRun = (text: string) =>
      server.kubectl(['apply', '--server-side', '--dry-run=server', '--validate=strict', '-f', '-'], text);

    it('is there as manifests; `make manifests` writes them', () => {
      const HELM = built(`helm-${versions.HELM}/helm`);
      const env = { ...process.env, HELM };
      const rendered = execFileSync(join(DEPLOY, 'render.sh'), { encoding: 'utf8', env });
      expect(readFileSync(join(DEPLOY, 'base/manifests.yaml'), 'utf8')).toBe(rendered);
    });

    it.each(['base', 'example'])('is what the server takes, by Kustomize: %s', (folder) => {
      // A dry run makes no namespace.
      server.apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'policy-log-agent' } }]);
      const text = server.kubectl(['kustomize', join(DEPLOY, folder)]);
      expect(dryRun(text)).toContain('daemonset.apps/policy-log-agent serverside-applied');
      expect(text).toContain(folder === 'example' ? 'calico-drop' : 'policy_action');
    });
  });

  it('violates Pod Security `restricted` in hostPaths and the user, and in nothing else', () => {
    server.kubectl(['create', 'namespace', 'guarded']);
    server.kubectl(['label', 'namespace', 'guarded', 'pod-security.kubernetes.io/warn=restricted']);
    const daemonSet = render('--namespace', 'guarded').find(({ kind }) => kind === 'DaemonSet');
    const create = ['create', '--dry-run=server', '--warnings-as-errors', '-f', '-'];
    const warning = (() => {
      try {
        server.kubectl(create, JSON.stringify(daemonSet));
      } catch (error) {
        return String(error);
      }
      return '';
    })();
    const violations = /"restricted:latest": (.*)$/m.exec(warning)?.[1]?.replaceAll(/ \([^)]*\)/g, '');
    expect(violations).toBe('restricted volume types, runAsNonRoot != true, runAsUser=0');
  });

  it('is installed, upgraded with a changed sink, rolled back, and removed without a trace', () => {
    const sinks = (url: string) => valuesFile({ config: { sinks: [{ name: 'a', type: 'http', url }] } });
    const inConfigMap = () => kubectl('get', 'configmap', NAME, '-o', 'jsonpath={.data}');
    const generation = () => kubectl('get', 'daemonset', NAME, '-o', 'jsonpath={.metadata.generation}');

    withHelm('install', RELEASE, CHART, ...sinks('http://first'));
    expect(ofRelease()).toEqual(expect.arrayContaining([`configmap/${NAME}`, `daemonset.apps/${NAME}`]));
    expect(inConfigMap()).toContain('http://first');
    withHelm('upgrade', RELEASE, CHART, ...sinks('http://second'));
    expect(inConfigMap()).toContain('http://second');
    withHelm('rollback', RELEASE, '1');
    expect(inConfigMap()).toContain('http://first');
    // The pods are not replaced: they read the changed ConfigMap.
    expect(generation()).toBe('1');
    withHelm('uninstall', RELEASE);
    expect(ofRelease()).toEqual(['']);
  });

  it('refuses an upgrade to a sink that does not exist, and leaves the release as it is', () => {
    withHelm('install', RELEASE, CHART);
    const wrong = valuesFile({ config: { sinks: [{ name: 'a', type: 'elasticserach', url: 'http://a' }] } });
    expect(() => withHelm('upgrade', RELEASE, CHART, ...wrong)).toThrow('/config/sinks/0/type');
    expect(withHelm('status', RELEASE)).toMatch(/STATUS: deployed\nREVISION: 1/);
    withHelm('uninstall', RELEASE);
  });
});
