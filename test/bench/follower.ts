/**
 * Lines per second and CPU of `@logdna/tail-file` with `split2` against this project's follower, on one file of
 * 200 MB of which 1 % of the lines hold the needle. Each runs in a process of its own.
 *
 *     node test/bench/follower.ts [MEGABYTES]
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';

const NEEDLE = 'calico-packet';
const NEEDLE_EVERY = 100;

const [first, path, count] = process.argv.slice(2);
if (first === 'tail-file') await tailFile(path!, Number(count));
else if (first === 'own') await own(path!);
else compare(Number(first ?? 200));

function compare(megabytes: number): void {
  const directory = mkdtempSync(join(tmpdir(), 'policy-log-agent-'));
  const file = join(directory, 'log');
  try {
    const lines = generate(file, megabytes * 1e6);
    console.log(`${megabytes} MB, ${lines} lines, 1 in ${NEEDLE_EVERY} with the needle`);
    console.log(
      '| follower | ours found | lines/s | lines per CPU-second | peak RSS |\n|---|---|---|---|---|',
    );
    for (const name of ['tail-file', 'own']) {
      const { stdout } = spawnSync(
        process.execPath,
        [fileURLToPath(import.meta.url), name, file, `${lines}`],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const { found, seconds, cpuSeconds, rssMegabytes } = JSON.parse(stdout.toString());
      const rate = (value: number) => Math.round(lines / value).toLocaleString('en');
      const title = name === 'own' ? 'own' : '@logdna/tail-file + split2';
      console.log(`| ${title} | ${found} | ${rate(seconds)} | ${rate(cpuSeconds)} | ${rssMegabytes} MB |`);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function generate(file: string, bytesMax: number): number {
  const descriptor = openSync(file, 'w');
  let bytes = 0;
  let lines = 0;
  while (bytes < bytesMax) {
    let block = '';
    for (let i = 0; i < 1_000; i++, lines++) {
      const stamp = `2026-11-20T10:00:00.${String(lines % 1_000_000).padStart(6, '0')}+00:00 node-1`;
      block +=
        lines % NEEDLE_EVERY === 0
          ? `${stamp} kernel: [${lines}.5] ${NEEDLE}: IN=cali1 OUT=eth0 SRC=10.0.0.1 DST=10.0.0.2 LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=${lines % 65_536} DF PROTO=TCP SPT=${lines % 60_000} DPT=443 WINDOW=64240 RES=0x00 SYN URGP=0 \n`
          : `${stamp} kubelet[1234]: I1120 10:00:00.${lines} 1234 operation_generator.go:888] MountVolume.SetUp succeeded for volume "kube-api-access-${lines}" (UniqueName: "kubernetes.io/projected/${lines * 7_919}") pod "some-pod-${lines % 97}"\n`;
    }
    bytes += writeSync(descriptor, block);
  }
  closeSync(descriptor);
  return lines;
}

function report(found: number, startedMs: number, startedCpu: NodeJS.CpuUsage): void {
  const { user, system } = process.cpuUsage(startedCpu);
  const seconds = (performance.now() - startedMs) / 1e3;
  const rssMegabytes = Math.round(process.resourceUsage().maxRSS / 1e3);
  console.log(JSON.stringify({ found, seconds, cpuSeconds: (user + system) / 1e6, rssMegabytes }));
}

async function tailFile(file: string, lines: number): Promise<void> {
  const [{ default: TailFile }, { default: split }] = await Promise.all([
    import('@logdna/tail-file'),
    import('split2'),
  ]);
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const tail = new TailFile(file, { startPos: 0 });
  let seen = 0;
  let found = 0;
  tail.pipe(split()).on('data', (line: string) => {
    if (line.includes(NEEDLE)) found++;
    if (++seen < lines) return;
    report(found, startedMs, startedCpu);
    process.exit();
  });
  await tail.start();
}

async function own(file: string): Promise<void> {
  const [{ openInput }, { plainFormat }] = await Promise.all([
    import('../../agent/inputs/file.ts'),
    import('../helpers/file-logs.ts'),
  ]);
  const startedMs = performance.now();
  const startedCpu = process.cpuUsage();
  const log = { info: () => {}, warn: () => {} };
  const input = openInput(
    {
      name: 'bench',
      type: 'file',
      format: 'text',
      log_type: 'bench',
      paths: [file],
      start: 'beginning',
      poll_interval: 100,
      line_bytes_max: 65_536,
    },
    plainFormat([NEEDLE]),
    [],
    { node: 'node', log },
  );
  let found = 0;
  const handler = { line: () => void found++, foreign: () => {}, refused: () => {} };
  while (input.poll(Date.now(), 4 * 1024 * 1024, handler) > 0);
  report(found, startedMs, startedCpu);
  input.close();
}
