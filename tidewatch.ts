/** What a configuration file imports. */
export * from './core/contract/config.ts';
