import { expect, test } from 'vitest';
import { endpoint } from '../../sinks/endpoint.ts';

test.each([
  ['http://loki:3100', 'http://loki:3100/api/push'],
  ['http://loki:3100/', 'http://loki:3100/api/push'],
  ['https://gateway/tenants/a/', 'https://gateway/tenants/a/api/push'],
  ['https://gateway/tenants/a/api/push', 'https://gateway/tenants/a/api/push'],
  ['https://gateway/api/push/?debug=1', 'https://gateway/api/push?debug=1'],
  ['https://gateway?key=1', 'https://gateway/api/push?key=1'],
])('%s', (url, expected) => {
  expect(endpoint(url, '/api/push')).toBe(expected);
});
