import { GetSecretValueCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { DeliveryRefused } from '../../core/model/delivery-errors.ts';
import type { SecretTexts } from '../../core/pipeline/ports.ts';
import { isServiceError } from './service-error.ts';

/** A changed secret is seen after this long. */
const keptMilliseconds = 300_000;

/** Texts of secrets, kept for five minutes. A failure is not kept. */
export class AwsSecretTexts implements SecretTexts {
  readonly #client: SecretsManagerClient;
  readonly #now: () => number;
  readonly #kept = new Map<string, { readonly text: string; readonly until: number }>();

  constructor(client: SecretsManagerClient, now: () => number) {
    this.#client = client;
    this.#now = now;
  }

  async read(secret: string): Promise<string> {
    const known = this.#kept.get(secret);
    if (known && this.#now() < known.until) return known.text;
    const text = await this.#ask(secret);
    this.#kept.set(secret, { text, until: this.#now() + keptMilliseconds });
    return text;
  }

  async #ask(secret: string): Promise<string> {
    try {
      const { SecretString } = await this.#client.send(new GetSecretValueCommand({ SecretId: secret }));
      if (SecretString !== undefined) return SecretString;
    } catch (cause) {
      if (isServiceError(cause, 'ResourceNotFoundException', 'InvalidRequestException'))
        throw new DeliveryRefused(`secret ${secret}: expected it in Secrets Manager, there is none of this name`, {
          cause,
        });
      if (isServiceError(cause, 'AccessDeniedException', 'DecryptionFailure'))
        throw new DeliveryRefused(`secret ${secret}: expected it to be readable, its key or its policy forbids that`, {
          cause,
        });
      throw cause;
    }
    throw new DeliveryRefused(`secret ${secret}: expected text, saw bytes`);
  }
}
