import { readRows } from './conformance-rows.ts';

// Prints what every sink did when its destination misbehaved, as the suites left it.
for (const { name, destination, guarantee, results } of readRows()) {
  console.log(`${name} (${destination}; ${guarantee})`);
  for (const [behaviour, result] of Object.entries(results)) {
    console.log(`  ${behaviour.padEnd(32)} ${result}`);
  }
}
