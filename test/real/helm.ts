import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { built, versions } from './cache.ts';

export const CHART = join(import.meta.dirname, '../../helm/policy-log-agent');

/** A Kubernetes object as the chart renders it. */
export interface Manifest {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  // biome-ignore lint/suspicious/noExplicitAny: the fields of a dozen kinds, of which each test knows its own
  [field: string]: any;
}

/** Runs helm and returns its standard output; throws with its standard error where it fails. */
export function helm(...args: string[]): string {
  return execFileSync(built(`helm-${versions.HELM}/helm`), args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** The objects of `helm template`, in its order. */
export function render(...args: string[]): Manifest[] {
  const text = helm('template', 'netlog', CHART, '--namespace', 'monitoring', ...args);
  return parseAllDocuments(text)
    .map((document) => {
      if (document.errors.length > 0) throw document.errors[0];
      return document.toJS() as Manifest | null;
    })
    .filter((manifest) => manifest !== null);
}

/** The one object of that kind; throws where there is none or more than one. */
export function only(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.filter((manifest) => manifest.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} objects of kind ${kind} instead of one`);
  return found[0]!;
}
