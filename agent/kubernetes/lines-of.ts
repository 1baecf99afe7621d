/** Larger than anything that etcd takes. */
const LINE_BYTES_MAX = 8 << 20;
const NEWLINE = 0x0a;

/** The lines of a stream, as it comes; a last one without its newline is not given. @throws Error at a line too long */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const last = chunk.subarray(start, end);
      yield (kept.length === 0 ? last : Buffer.concat([...kept, last])).toString();
      kept = [];
      bytes = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    kept.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > LINE_BYTES_MAX) throw new Error(`a line of the watch has more than ${LINE_BYTES_MAX} bytes`);
  }
}
