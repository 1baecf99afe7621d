/**
 * A process that writes numbered lines as fast as it can and rotates its log every thousand:
 * `file-writer.ts LOG LINES rename|copytruncate`.
 */
import { closeSync, copyFileSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';

const [log, count, mode] = process.argv.slice(2) as [string, string, string];
let descriptor = openSync(log, 'a');
let backups = 0;
for (let i = 0; i < Number(count); i++) {
  writeSync(descriptor, `${i} ${'.'.repeat(i % 90)}\n`);
  if (i % 1_000 !== 998) continue;
  for (let backup = backups; backup > 0; backup--) renameSync(`${log}.${backup}`, `${log}.${backup + 1}`);
  backups++;
  if (mode === 'copytruncate') {
    copyFileSync(log, `${log}.1`);
    ftruncateSync(descriptor);
    continue;
  }
  renameSync(log, `${log}.1`);
  writeSync(descriptor, `${++i}\n`); // To the old file: the writer has not heard of the rotation yet.
  closeSync(descriptor);
  descriptor = openSync(log, 'a');
}
