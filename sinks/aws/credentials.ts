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
    const endMs = kept?.expiration?.getTime() ?? Number.POSITIVE_INFINITY;
    if (kept !== undefined && nowMs < endMs - REFRESH_MS) return kept;
    if (kept === undefined || nowMs >= endMs) return this.#fetch(nowMs);
    if (nowMs - this.#triedMs < REFRESH_AGAIN_MS) return kept;
    return this.#fetch(nowMs).catch(() => kept);
  }

  #fetch(nowMs: number): Promise<Credentials> {
    this.#triedMs = nowMs;
    this.#fetching ??= this.#source()
      .then((fetched) => {
        this.#kept = fetched;
        return fetched;
      })
      .finally(() => {
        this.#fetching = undefined;
      });
    return this.#fetching;
  }
}
