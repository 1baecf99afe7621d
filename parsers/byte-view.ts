const NO_BYTES = new Uint8Array(0);
let last: Uint8Array = NO_BYTES;
let lastView: DataView = new DataView(NO_BYTES.buffer);

/**
 * A view that reads `bytes` in words, at any place. The last one made is kept, for it costs as much as reading
 * a line, and a chunk has many lines.
 */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== last) {
    last = bytes;
    lastView = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
  return lastView;
}
