import type { Buffer } from 'node:buffer';
import { type Piece, pieceOf } from './byte-writer.ts';
import { canonicalIpBytes, ipv4Number, isIpv4 } from './ip.ts';
import type { Enricher } from './line.ts';

const SLOT_BITS = 10;
const SLOTS = 1 << SLOT_BITS;
/** That of an address in no network. */
export const NO_NETWORK = pieceOf('');

/**
 * The `network` members of sides, with a comma before, as an enricher has them: ready to be written, and for the IPv4
 * addresses that came last without asking it again.
 */
export class NetworkPieces {
  #enricher: Enricher | undefined;
  #version: unknown;
  readonly #byName = new Map<string, Piece>();
  readonly #byAddress = new Array<Piece | undefined>(SLOTS).fill(undefined);
  readonly #addresses = new Uint32Array(SLOTS);

  /** That of the address `bytes[start, end)`, which is ASCII; empty where it is in no network. */
  find(enricher: Enricher, bytes: Buffer, start: number, end: number): Piece {
    if (enricher !== this.#enricher || enricher.networksVersion !== this.#version) {
      this.#enricher = enricher;
      this.#version = enricher.networksVersion;
      this.#byName.clear();
      this.#byAddress.fill(undefined);
    }
    if (!isIpv4(bytes, start, end)) return this.#ask(enricher, bytes, start, end);
    const address = ipv4Number(bytes, start, end);
    const slot = (address ^ (address >>> SLOT_BITS)) & (SLOTS - 1);
    const known = this.#byAddress[slot];
    if (known !== undefined && this.#addresses[slot] === address) return known;
    const piece = this.#ask(enricher, bytes, start, end);
    this.#addresses[slot] = address;
    this.#byAddress[slot] = piece;
    return piece;
  }

  #ask(enricher: Enricher, bytes: Buffer, start: number, end: number): Piece {
    const name = enricher.networkOf(
      canonicalIpBytes(bytes, start, end) ?? bytes.toString('latin1', start, end),
    );
    if (name === undefined) return NO_NETWORK;
    let piece = this.#byName.get(name);
    if (piece === undefined) {
      piece = pieceOf(`,"network":${JSON.stringify(name)}`);
      this.#byName.set(name, piece);
    }
    return piece;
  }
}
