import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiServer } from './api-server.ts';

const server = new ApiServer();
beforeAll(() => server.start());
afterAll(() => server.close());

const get = (path: string, token: string) => server.kubectl(['get', '--raw', path, '--token', token]);

describe('the API server of the tests', () => {
  it('is the version that is asked for', () => {
    expect(JSON.parse(get('/version', 'admin-token'))).toMatchObject({ major: '1', minor: '35' });
  });

  it('lets a service account do what is bound to it, and nothing else', () => {
    server.kubectl(['create', 'serviceaccount', 'reader', '--namespace', 'default']);
    server.kubectl(['create', 'clusterrole', 'reader', '--verb=list', '--resource=pods']);
    server.kubectl([
      'create',
      'clusterrolebinding',
      'reader',
      '--clusterrole=reader',
      '--serviceaccount=default:reader',
    ]);
    const { kubeconfig } = server.serviceAccount('default', 'reader');
    const asReader = (...args: string[]) => server.kubectl([...args, '--kubeconfig', kubeconfig]);
    expect(JSON.parse(asReader('get', 'pods', '-A', '-o', 'json'))).toMatchObject({ items: [] });
    expect(() => asReader('get', 'secrets', '-A')).toThrow('Forbidden');
  });

  it('keeps what it knows over a restart; a compacted revision is gone', async () => {
    server.kubectl(['create', 'configmap', 'kept', '--from-literal=a=b']);
    await server.compact();
    expect(server.kubectl(['get', 'configmap', 'kept', '-o', 'jsonpath={.data.a}'])).toBe('b');
    const watch = get('/api/v1/configmaps?watch=1&resourceVersion=1&timeoutSeconds=5', 'admin-token');
    expect(JSON.parse(watch)).toMatchObject({ type: 'ERROR', object: { code: 410 } });
  });
});
