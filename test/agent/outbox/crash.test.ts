import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { idsFrom, openAt, tempFolder } from './helpers.ts';

const KILLS = Number(process.env.OUTBOX_KILLS ?? 50);
const COMMITTER = join(import.meta.dirname, 'committer.ts');

test(`what was reported committed survives ${KILLS} kills at random instants, and nothing is torn`, async () => {
  const path = join(tempFolder(), 'state.db');
  let reported = 1;
  let unreported = 0;
  for (let n = 0; n < KILLS; n++) {
    reported = Math.max(reported, await commitUntilKilled(path, Math.random() * 40));

    const outbox = openAt(path, { sinks: ['fast', 'slow'] });
    const state = outbox.load();
    const { next } = JSON.parse(state.checkpoints[0]!.json) as { next: number };
    // One commit may have reached the disk before its report reached us.
    expect(next).toBeGreaterThanOrEqual(reported);
    if (next > reported) unreported++;
    reported = next;
    expect(outbox.end()).toBe(next);
    expect(state.values.get('next')).toBe(`${next}`);
    const window = state.windows.find(({ key }) => key === next % 7);
    expect(window?.state).toBe(JSON.stringify({ next }));
    const { first, ids } = { first: outbox.begin(), ids: idsFrom(outbox, outbox.begin()) };
    expect(ids).toEqual(Array.from({ length: next - first }, (_, index) => `r${first + index}`));
    expect(outbox.position('slow')).toBeGreaterThanOrEqual(first);
    // The fast sink repeats at most what came since the last commit that carried its confirmation.
    expect(outbox.end() - outbox.position('fast')).toBeLessThan(1000);
    expect(outbox.stats().corruptions).toBe(0);
    outbox.close();
  }
  console.log(
    `kills ${KILLS}, records committed ${reported - 1}, lost 0, torn 0; ahead of its report ${unreported}`,
  );
});

/** @returns the last number that the child reported */
async function commitUntilKilled(path: string, afterMs: number): Promise<number> {
  const child = spawn(process.execPath, [COMMITTER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (bytes) => {
    output += bytes;
  });
  await once(child.stdout, 'data');
  setTimeout(() => child.kill('SIGKILL'), afterMs);
  await once(child, 'close');
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
}
