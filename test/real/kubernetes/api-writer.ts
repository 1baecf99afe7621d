import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import type { PodObject } from '../../../agent/kubernetes/pod-facts.ts';
import type { ApiServer } from './api-server.ts';

/** Writes objects to the API server of a test as fast as it takes them, as an administrator. */
export class ApiWriter {
  readonly #agent: Agent;
  readonly #url: string;

  constructor(server: ApiServer, connections = 16) {
    this.#url = server.url;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, ca: readFileSync(server.caFile) });
  }

  /** @throws where the server refuses */
  async send<T>(method: string, path: string, body?: object, type = 'application/json'): Promise<T> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? '' : JSON.stringify(body);
      const headers = {
        authorization: 'Bearer admin-token',
        'content-type': type,
        'content-length': Buffer.byteLength(text),
      };
      const asked = request(new URL(path, this.#url), { method, agent: this.#agent, headers }, (answer) => {
        let said = '';
        answer.on('data', (chunk) => {
          said += chunk;
        });
        answer.on('end', () => {
          if (answer.statusCode! < 300) resolve(JSON.parse(said) as T);
          else reject(new Error(`${method} ${path}: ${answer.statusCode} ${said}`));
        });
      });
      asked.on('error', reject);
      asked.end(text);
    });
  }

  /** A pod that runs on a node, with its addresses. */
  async runPod(pod: PodObject): Promise<void> {
    const { name, namespace, labels, ownerReferences, annotations } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods`;
    await this.send('POST', path, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels, annotations, ownerReferences: ownerReferences?.map(withUid) },
      spec: {
        ...pod.spec,
        serviceAccountName: 'tests',
        automountServiceAccountToken: false,
        containers: [{ name: 'main', image: 'none' }],
      },
    });
    await this.#patchStatus(`${path}/${name}`, pod);
  }

  /** Ends a pod as the kubelet does, when its containers have ended. */
  async endPod(namespace: string, name: string): Promise<void> {
    await this.send('DELETE', `/api/v1/namespaces/${namespace}/pods/${name}`, { gracePeriodSeconds: 0 });
  }

  close(): void {
    this.#agent.destroy();
  }

  #patchStatus(path: string, { status }: PodObject): Promise<unknown> {
    const podIP = status?.podIPs?.[0]?.ip;
    const hostIP = status?.hostIPs?.[0]?.ip;
    const whole = { ...status, ...(podIP && { podIP }), ...(hostIP && { hostIP }) };
    return this.send('PATCH', `${path}/status`, { status: whole }, 'application/merge-patch+json');
  }
}

function withUid(reference: object): object {
  return { uid: '00000000-0000-0000-0000-000000000001', ...reference };
}
