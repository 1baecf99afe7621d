import { expect, test } from 'vitest';
import { KeptCredentials, REFRESH_AGAIN_MS, REFRESH_MS } from '../../../sinks/aws/credentials.ts';

const HOUR_MS = 3_600_000;

/** Credentials of an hour each, numbered; fetching fails while `isDown`. */
function hourly(isEndless = false) {
  const state = { fetches: 0, isDown: false, nowMs: 0 };
  const kept = new KeptCredentials(async () => {
    state.fetches++;
    if (state.isDown) throw new Error('down');
    const accessKeyId = `${state.fetches}`;
    if (isEndless) return { accessKeyId, secretAccessKey: 's' };
    return { accessKeyId, secretAccessKey: 's', expiration: new Date(state.nowMs + HOUR_MS) };
  });
  const at = async (nowMs: number) => {
    state.nowMs = nowMs;
    return (await kept.get(nowMs)).accessKeyId;
  };
  return { state, at };
}

test('they are fetched when first asked for, and again before they end', async () => {
  const { state, at } = hourly();
  expect(state.fetches).toBe(0);
  expect(await at(0)).toBe('1');
  expect(await at(HOUR_MS - REFRESH_MS - 1)).toBe('1');
  expect(await at(HOUR_MS - REFRESH_MS)).toBe('2');
  expect(state.fetches).toBe(2);
});

test('those without an end are fetched once', async () => {
  const { at } = hourly(true);
  expect(await at(0)).toBe('1');
  expect(await at(1000 * HOUR_MS)).toBe('1');
});

test('requests at the same time share one fetch', async () => {
  const { state, at } = hourly();
  expect(await Promise.all([at(0), at(0), at(1)])).toEqual(['1', '1', '1']);
  expect(state.fetches).toBe(1);
});

test('while a refresh fails the old ones serve to their end, and it is not tried for every request', async () => {
  const { state, at } = hourly();
  await at(0);
  state.isDown = true;
  const startMs = HOUR_MS - REFRESH_MS;
  expect(await at(startMs)).toBe('1');
  expect(await at(startMs + REFRESH_AGAIN_MS - 1)).toBe('1');
  expect(state.fetches).toBe(2);
  expect(await at(startMs + REFRESH_AGAIN_MS)).toBe('1');
  expect(state.fetches).toBe(3);
  await expect(at(HOUR_MS)).rejects.toThrow('down');
  state.isDown = false;
  expect(await at(HOUR_MS + 1)).toBe('5');
});
