/** What no further attempt would change. The message names hosts and secrets, never what is in a secret. */
export class DeliveryRefused extends Error {
  override readonly name = 'DeliveryRefused';
}

/** What may work later. */
export class DeliveryFailed extends Error {
  override readonly name = 'DeliveryFailed';
}
