/** FNV-1a: spreads well enough over ids, which are hashes or counters with a hash. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return (hash ^ (hash >>> 15)) >>> 0;
}

/**
 * Keeps one in `oneIn` of the allowed connections' records and every other record. A record's id decides, so a
 * retry, a restart and another sink with the same number decide the same.
 */
export function compileSample(oneIn: number): (record: { id?: unknown; disposition?: unknown }) => boolean {
  return ({ id, disposition }) => disposition !== 'allow' || hashOf(String(id)) % oneIn === 0;
}
