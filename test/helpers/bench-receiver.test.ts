import { expect, test } from 'vitest';
import { ReceiverProcess } from '../bench/receiver-process.ts';

test('the receiver counts the records of a bulk request, not its actions, and answers for each', async () => {
  const receiver = new ReceiverProcess();
  try {
    const url = await receiver.url();
    const record = JSON.stringify({ SRC: '10.0.0.1', time: new Date().toISOString() });
    const action = '{"index":{"_index": "flows"}}';
    const bulk = [action, record, action, record, ''].join('\n');
    const answer = await fetch(new URL('/_bulk', url), { method: 'POST', body: bulk });
    expect(await answer.json()).toMatchObject({ errors: false, items: [{}, {}] });
    await fetch(url, { method: 'POST', body: `{"words":"\\"2026-11-21T20:33:24.577347+00:00 worker-1"}` });
    const { records, requests, latenciesMs } = await receiver.report();
    expect({ records, requests }).toEqual({ records: 3, requests: 2 });
    expect(latenciesMs).toHaveLength(3);
    expect(latenciesMs.every(Number.isFinite)).toBe(true);
  } finally {
    receiver.stop();
  }
});
