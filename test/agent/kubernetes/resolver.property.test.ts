import { describe, expect, test } from 'vitest';
import { KubernetesModel } from '../../helpers/kubernetes-model.ts';
import { Random } from '../../helpers/random.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000);
const RUNS = 60;
const SECONDS = 300;

describe('random pod lives on few addresses, late lines, clock steps, lost watches, restarts', () => {
  test(`no line names a pod that did not have the address at its time (SEED=${SEED})`, () => {
    let named = 0;
    let held = 0;
    for (let run = 0; run < RUNS; run++) {
      const seed = SEED + run;
      const model = new KubernetesModel(new Random(seed), 4, run % 2 === 0);
      model.run(SECONDS);
      for (const { line, named: name, truth } of model.answers) {
        if (truth !== undefined) held += 1;
        if (name === undefined) continue;
        named += 1;
        expect(name, `SEED=${seed}, ${line.address} at ${line.at} ms, read at ${line.readAt}`).toBe(truth);
      }
    }
    // It is no answer to name nobody.
    expect(named / held).toBeGreaterThan(0.4);
  });
});
