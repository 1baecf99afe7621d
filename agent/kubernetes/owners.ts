import type { Workload } from '../stages/holder.ts';
import type { Api } from './api-client.ts';
import type { ObjectMetadata, OwnerReference } from './pod-facts.ts';

/** Of which kinds a controller may have a controller that people think of, and where it is asked for. */
const PATHS: Readonly<Record<string, string>> = {
  'apps/v1 ReplicaSet': '/apis/apps/v1/namespaces/NAMESPACE/replicasets/NAME',
  'batch/v1 Job': '/apis/batch/v1/namespaces/NAMESPACE/jobs/NAME',
};
const REQUESTS_MAX = 4;
/** Workloads that wait to be asked for; further ones keep their own names. */
const WAITING_MAX = 100_000;
const TRIES_MAX = 3;
const ACCEPT = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json';

interface Question {
  readonly namespace: string;
  readonly workload: Workload;
  readonly path: string;
  tries: number;
}

/**
 * Asks what controls a controller: one request for each ReplicaSet and Job with pods, from the API server's cache.
 * A watch of all of them would bring every node those of the whole cluster. Until it is answered, and if it cannot
 * be, the workload is the controller itself.
 */
export class Owners {
  readonly #api: Api;
  readonly #waiting: Question[] = [];
  readonly #signal: AbortSignal;
  #running = 0;

  constructor(api: Api, signal: AbortSignal) {
    this.#api = api;
    this.#signal = signal;
  }

  /** Has the workload's controller asked for. */
  ask(namespace: string, workload: Workload, apiVersion: string | undefined): void {
    const path = PATHS[`${apiVersion} ${workload.kind}`];
    if (path === undefined || this.#waiting.length >= WAITING_MAX) return;
    const full = path.replace('NAMESPACE', encodeURIComponent(namespace));
    const named = full.replace('NAME', encodeURIComponent(workload.name));
    this.#waiting.push({ namespace, workload, path: `${named}?resourceVersion=0`, tries: 0 });
    this.#next();
  }

  #next(): void {
    while (this.#running < REQUESTS_MAX && this.#waiting.length > 0 && !this.#signal.aborted) {
      this.#running += 1;
      void this.#answer(this.#waiting.shift()!).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  async #answer(question: Question): Promise<void> {
    const { path, workload } = question;
    try {
      const { status, body } = await this.#api.get(path, ACCEPT, this.#signal);
      const text = Buffer.concat(await body.toArray()).toString();
      if (status === 403 || status === 404) return;
      if (status !== 200) throw new Error(`HTTP ${status}`);
      const { metadata } = JSON.parse(text) as { metadata: ObjectMetadata };
      const owner = metadata.ownerReferences?.find((one: OwnerReference) => one.controller);
      if (owner !== undefined) workload.controller = { kind: owner.kind, name: owner.name };
    } catch {
      question.tries += 1;
      if (question.tries < TRIES_MAX) this.#waiting.push(question);
    }
  }
}
