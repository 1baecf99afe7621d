import type { Outcome, Refusal } from './sink.ts';

/**
 * Sends a batch in several requests, one after the other, where its records cannot all go into one. What stands behind
 * a part that failed is to be sent again, and so is that part.
 * @param parts with the indices of their records in the batch; every one in exactly one part
 * @param send sends one part; the indices of its outcome are those within the part
 */
export async function sendParts<P extends { readonly indices: readonly number[] }>(
  parts: readonly P[],
  send: (part: P) => Promise<Outcome>,
): Promise<Outcome> {
  const refused: Refusal[] = [];
  for (const [n, part] of parts.entries()) {
    const outcome = await send(part);
    if (outcome.kind !== 'delivered') return n === 0 ? outcome : broken(refused, parts.slice(n), outcome);
    for (const { index, reason } of outcome.refused ?? []) {
      refused.push({ index: part.indices[index]!, reason });
    }
  }
  return { kind: 'delivered', ...(refused.length > 0 && { refused }) };
}

function broken(
  refused: readonly Refusal[],
  rest: readonly { readonly indices: readonly number[] }[],
  failure: Exclude<Outcome, { kind: 'delivered' }>,
): Outcome {
  const again = rest.flatMap(({ indices }) => indices).sort((a, b) => a - b);
  const afterMs = 'afterMs' in failure ? failure.afterMs : undefined;
  return {
    kind: 'delivered',
    ...(refused.length > 0 && { refused }),
    again,
    reason: failure.reason,
    ...(afterMs !== undefined && { afterMs }),
  };
}
