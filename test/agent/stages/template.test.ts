import { expect, test } from 'vitest';
import { compileTemplate, fieldsOfTemplate, templateProblem } from '../../../agent/stages/template.ts';

const record = {
  id: 'a',
  src: { namespace: 'shop', labels: { 'app.kubernetes.io/name': 'web' } },
  policies: [{ name: 'one' }, { name: 'two' }],
  src_ports: [1, 2],
  message: 'a "b"\\\n\u0007{{ id }}',
  count: 0,
  empty: '',
  nothing: null,
};

test.each([
  ['plain text', 'as it is', 'as it is'],
  ['fields', '{{ src.namespace }}/{{id}}', 'shop/a'],
  ['a list of values', '{{ src_ports }}', '1,2'],
  ['a field of a list', '{{ policies.name }}', 'one,two'],
  [
    'an object',
    '{"src":{{ src }}}',
    '{"src":{"namespace":"shop","labels":{"app.kubernetes.io/name":"web"}}}',
  ],
  ['a name with dots', '{{ src.labels.app.kubernetes.io/name }}', 'web'],
  ['quotes and control characters', '"{{ message }}"', '"a \\"b\\"\\\\\\n\\u0007{{ id }}"'],
  ['zero', '{{ count }}', '0'],
  ['what is not there', '{{ dest.namespace }} {{ empty }} {{ nothing }}', '- - -'],
])('%s', (_, template, line) => {
  expect(templateProblem(template)).toBeUndefined();
  expect(compileTemplate(template, '-')(record)).toBe(line);
});

test.each([
  ['two lines', '{{ id }}\n{{ id }}', 'one line'],
  ['a field without an end', '{{ id', '{{ src.namespace }}'],
  ['a field without a name', '{{ }}', '{{ src.namespace }}'],
  ['a field with spaces', '{{ src namespace }}', '{{ src.namespace }}'],
])('%s is refused', (_, template, message) => {
  expect(templateProblem(template)).toContain(message);
});

test('the fields of a template are known', () => {
  expect(fieldsOfTemplate('{{ id }} x {{src.namespace}}')).toEqual(['id', 'src.namespace']);
});
