import { describe, expect, test } from 'vitest';
import { Policies } from '../../../agent/kubernetes/policies.ts';

const policy = (name: string, spec: object, namespace = 'shop') => ({
  metadata: { uid: `${namespace}/${name}`, name, namespace },
  spec,
});
const names = (policies: Policies, labels: Record<string, string>, direction = 'ingress') =>
  policies.candidates('shop', labels, direction).map(({ name }) => name);

describe('the policies that select a pod', () => {
  test.each([
    ['all labels that are named are equal', { matchLabels: { app: 'web', tier: 'a' } }, true],
    ['one is not', { matchLabels: { app: 'web', tier: 'b' } }, false],
    ['one is not there', { matchLabels: { team: 'x' } }, false],
    ['In', { matchExpressions: [{ key: 'app', operator: 'In', values: ['api', 'web'] }] }, true],
    ['In, of none', { matchExpressions: [{ key: 'team', operator: 'In', values: ['x'] }] }, false],
    ['NotIn', { matchExpressions: [{ key: 'app', operator: 'NotIn', values: ['web'] }] }, false],
    ['NotIn, of none', { matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['x'] }] }, true],
    ['Exists', { matchExpressions: [{ key: 'app', operator: 'Exists' }] }, true],
    ['DoesNotExist', { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] }, false],
    [
      'an operator that is not known selects nothing',
      { matchExpressions: [{ key: 'app', operator: 'Gt' }] },
      false,
    ],
    ['an empty selector selects everything', {}, true],
  ])('%s', (_, podSelector, selects) => {
    const policies = new Policies();
    policies.put(policy('one', { podSelector, policyTypes: ['Ingress'] }));
    expect(names(policies, { app: 'web', tier: 'a' })).toEqual(selects ? ['one'] : []);
    expect(names(policies, { app: 'web', tier: 'a' }, 'egress')).toEqual([]);
  });

  test('are of its namespace, by name, at most 20', () => {
    const policies = new Policies();
    policies.put(policy('other', { policyTypes: ['Ingress'] }, 'data'));
    for (let i = 40; i >= 10; i--) policies.put(policy(`p-${i}`, { policyTypes: ['Ingress'] }));
    const found = names(policies, {});
    expect(found).toHaveLength(20);
    expect([found[0], found.at(-1)]).toEqual(['p-10', 'p-29']);
  });

  test('follow changes, removals and new lists', () => {
    const policies = new Policies();
    policies.put(policy('one', { policyTypes: ['Ingress'] }));
    policies.put(policy('two', { policyTypes: ['Ingress'] }));
    policies.put(policy('one', { policyTypes: ['Egress'] }));
    expect(names(policies, {})).toEqual(['two']);
    policies.remove(policy('two', {}));
    policies.beginList();
    policies.put(policy('three', { policyTypes: ['Ingress'] }));
    policies.endList();
    expect(names(policies, {})).toEqual(['three']);
    expect(names(policies, {}, 'egress')).toEqual([]);
    expect(policies.size).toBe(1);
  });
});
