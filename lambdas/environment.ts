import { envNames } from '../core/contract/env-names.ts';
import { DeploymentError } from './fault.ts';

/** @throws {DeploymentError} where the stack did not set it. */
export function readVariable(name: keyof typeof envNames): string {
  const value = process.env[envNames[name]];
  if (value === undefined || value === '') {
    throw new DeploymentError(`environment: expected ${envNames[name]} to be set, saw nothing`);
  }
  return value;
}
