/** An access key, for a while or for good. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** When they end; absent for those that do not. */
  readonly expiration?: Date;
}

export type CredentialSource = () => Promise<Credentials>;

/** How long before their end credentials are fetched anew. */
export const REFRESH_MS = 5 * 60_000;
/** How soon a refresh that failed is tried again while the old ones still hold. */
export const REFRESH_AGAIN_MS = 30_000;

/**
 * One sink's credentials: fetched when first asked for, kept until `REFRESH_MS` before their end. Requests that ask
 * at the same time share one fetch. When a refresh fails the old ones serve until their end.
 */
export class KeptCredentials {
  readonly #source: CredentialSource;
  #kept: Credentials | undefined;
  #fetching: Promise<Credentials> | undefined;
  #triedMs = Number.NEGATIVE_INFINITY;

  constructor(source: CredentialSource) {
    this.#source = source;
  }

  /** @throws what the source says, when there are none that hold */
  async get(nowMs: number): Promise<Credentials> {
    const kept = this.#kept;
    const leftMs = kept === undefined ? 0 : (kept.expiration?.getTime() ?? Number.POSITIVE_INFINITY) - nowMs;
    if (kept !== undefined && leftMs > REFRESH_MS) return kept;
    if (kept !== undefined && leftMs > 0 && nowMs - this.#triedMs < REFRESH_AGAIN_MS) return kept;
    try {
      this.#triedMs = nowMs;
      this.#fetching ??= this.#source();
      this.#kept = await this.#fetching;
      return this.#kept;
    } catch (error) {
      if (kept !== undefined && leftMs > 0) return kept;
      throw error;
    } finally {
      this.#fetching = undefined;
    }
  }
}
