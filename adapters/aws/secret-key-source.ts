import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { deriveModelDayKey } from '../../core/contract/evidence-key.ts';
import type { KeySource } from '../../core/pipeline/ports.ts';

const minimumCharacters = 64;

/**
 * Evidence keys derived from a secret, which is read once per process: 64 digits `0-9a-f`, or any other text of at
 * least 64 random characters. Whoever loses or changes the secret loses the evidence's encrypted part.
 */
export class SecretKeySource implements KeySource {
  readonly #client: SecretsManagerClient;
  readonly #secret: string;
  #master: Promise<Uint8Array> | undefined;

  /** @param secret its ARN. */
  constructor(client: SecretsManagerClient, secret: string) {
    this.#client = client;
    this.#secret = secret;
  }

  /** @throws where the secret can't be read or is too short. */
  async modelDayKey(model: string, day: string): Promise<Uint8Array> {
    this.#master ??= this.#readMaster();
    try {
      return deriveModelDayKey(await this.#master, model, day);
    } catch (error) {
      // The next call asks again: a throttled first one must not be remembered.
      this.#master = undefined;
      throw error;
    }
  }

  async #readMaster(): Promise<Uint8Array> {
    const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: this.#secret }));
    if (SecretString === undefined || SecretString.length < minimumCharacters) {
      throw new Error(
        `evidence secret: expected text of at least ${minimumCharacters} characters, saw ${SecretString?.length ?? 'no text'}`,
      );
    }
    return /^[0-9a-f]{64}$/.test(SecretString) ? Buffer.from(SecretString, 'hex') : Buffer.from(SecretString);
  }
}
