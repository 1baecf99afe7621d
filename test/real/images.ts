import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { podman, podmanOutput } from './podman.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const BUSYBOX = '/bin/busybox';

/** The product's image, as `buildAgentImage` names it. */
export const AGENT_IMAGE = 'localhost/policy-log-agent:test';
/** A shell and small tools; by itself a container of it waits until it is told to stop. */
export const TOOLS_IMAGE = 'localhost/policy-log-agent-tools:test';

/** Builds the Dockerfile over the base images of base-images.sh. */
export function buildAgentImage(): void {
  const npmrc = join(homedir(), '.npmrc');
  const secret = existsSync(npmrc) ? ['--secret', `id=npmrc,src=${npmrc}`] : [];
  podmanOutput('build', '--isolation', 'chroot', '--pull=never', ...secret, '--tag', AGENT_IMAGE, REPOSITORY);
  podman('image', 'prune', '--force');
}

/** Makes the image of tools from the static busybox of this machine. */
export function makeToolsImage(): void {
  const root = mkdtempSync(join(tmpdir(), 'policy-log-agent-tools-'));
  try {
    for (const folder of ['bin', 'tmp']) mkdirSync(join(root, folder));
    copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
    for (const tool of execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
      if (tool !== 'busybox') symlinkSync('busybox', join(root, 'bin', tool));
    }
    const archive = `${root}.tar`;
    execFileSync('tar', ['--create', '--file', archive, '--directory', root, '.']);
    const command = 'CMD ["/bin/sh", "-c", "trap exit TERM; while :; do sleep 86400 & wait; done"]';
    podmanOutput('import', '--quiet', '--change', command, archive, TOOLS_IMAGE);
    rmSync(archive);
  } finally {
    rmSync(root, { recursive: true });
  }
}

/** Writes an image as an archive that container runtimes import. */
export function saveImage(image: string, file: string): void {
  podmanOutput('save', '--quiet', '--format', 'docker-archive', '--output', file, image);
}
