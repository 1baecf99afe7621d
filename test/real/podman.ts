import { spawnSync } from 'node:child_process';
import { built } from './cache.ts';

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs podman over the image store that holds the Dockerfile's base images, and over no other. */
export function podman(...args: string[]): Finished {
  const store = [
    '--root',
    built(`images-${process.version}/store`),
    '--runroot',
    '/run/policy-log-agent-test',
  ];
  const options = [...store, '--storage-driver', 'overlay', '--runtime', 'runc'];
  const { status, stdout, stderr, error } = spawnSync('podman', [...options, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}

/** As `podman`, for what must succeed; gives its standard output. */
export function podmanOutput(...args: string[]): string {
  const { status, stdout, stderr } = podman(...args);
  if (status !== 0) throw new Error(`podman ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout.trim();
}
