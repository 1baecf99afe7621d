import type { OpenWindow } from '../../agent/stages/open-window.ts';

/** The record of a window that closes, as JSON. */
export function windowJson(window: OpenWindow): string {
  const out = Buffer.alloc(window.jsonBytesMax);
  return out.toString('utf8', 0, window.writeJson(out, 0));
}
