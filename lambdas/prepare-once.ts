/** Prepares at the first call and keeps the outcome while the process lives. A failure is not kept. */
export function prepareOnce<T>(prepare: () => Promise<T>): () => Promise<T> {
  let prepared: Promise<T> | undefined;
  return async () => {
    prepared ??= prepare();
    try {
      return await prepared;
    } catch (error) {
      prepared = undefined;
      throw error;
    }
  };
}
