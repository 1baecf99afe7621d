import type { Policy } from './record.ts';

/**
 * Reads one policy string of Calico Enterprise's flow logs: `INDEX|TIER|POLICY|ACTION`, in newer versions with
 * `|RULE` behind it (-1: no rule, the end of the tier). POLICY is written in three ways:
 *
 * - `[NAMESPACE/]TIER.NAME` (with `staged:` before NAME or TIER.NAME) for Calico's own policies;
 * - `NAMESPACE/[staged:]knp.default.NAME`, `kanp.…`, `kbanp.…` for Kubernetes' ones, `__PROFILE__.NAME`;
 * - `KIND:[NAMESPACE/][TIER.]NAME` since kinds are named.
 *
 * @returns undefined for a string of any other form
 */
export function readFlowLogPolicy(text: string): Policy | undefined {
  const [, index, tier, path, action, rule] = POLICY.exec(text) ?? [];
  if (index === undefined || tier === undefined || path === undefined) return undefined;
  const [, kind, namespace, full] = PATH.exec(path)!;
  return {
    ...(kind === undefined
      ? kindAndName(full!, tier, namespace)
      : { name: without(full!, `${tier}.`), kind }),
    ...(namespace === undefined ? undefined : { namespace }),
    tier,
    action,
    index: Number(index),
    ...(rule === undefined || rule === '-' ? undefined : { rule: Number(rule) }),
  };
}

const POLICY = /^(\d{1,9})\|([^|]+)\|([^|]+)\|(allow|deny|pass|log)(?:\|(-|-?\d{1,9}))?$/;
const PATH = /^(?:(?!staged:)([a-z]{2,8}):)?(?:([^/]*)\/)?(.*)$/s;

/** The kind that older versions tell by the name alone. */
function kindAndName(full: string, tier: string, namespace: string | undefined) {
  const inTier = without(full, `${tier}.`);
  if (tier === '__PROFILE__') return { name: inTier, kind: 'pro' };
  const enforced = without(inTier, 'staged:');
  const staged = enforced === inTier ? '' : 's';
  const kubernetes = /^(knp|kanp|kbanp)\./.exec(enforced)?.[1];
  const name = without(
    kubernetes === undefined ? enforced : enforced.slice(kubernetes.length + 1),
    `${tier}.`,
  );
  return { name, kind: staged + (kubernetes ?? (namespace === undefined ? 'gnp' : 'np')) };
}

function without(text: string, start: string): string {
  return text.startsWith(start) ? text.slice(start.length) : text;
}
