import { ConfigError, parseConfig } from '../../core/contract/config.ts';

export const sagemaker = { kind: 'sagemaker-capture', bucket: 'captures', prefix: 'dc', endpoint: 'credit' };
export const requests = { kind: 'http-capture', bucket: 'captures', prefix: 'requests', role: 'requests' };
export const model = { name: 'credit', source: [sagemaker, requests], versions: [{ match: 'v*' }] };

/** The problems of a configuration, as lines. */
export function problemsOf(config: unknown): readonly string[] {
  try {
    parseConfig(config);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
  return [];
}

export function problemsOfModel(changes: object): readonly string[] {
  return problemsOf({ models: [{ ...model, ...changes }] });
}
