/** What a rollback moves. */
export type RollbackLever =
  /** UpdateEndpoint with the name of the endpoint configuration that served before. */
  | { readonly kind: 'sagemaker-endpoint'; readonly endpoint: string }
  /** UpdateEndpointWeightsAndCapacities with the weights that variants had before, under the same configuration. */
  | { readonly kind: 'sagemaker-weights'; readonly endpoint: string }
  /** UpdateAlias with the function version that the alias pointed to before. */
  | { readonly kind: 'lambda-alias'; readonly functionName: string; readonly alias: string }
  /** StartExecution of a workflow of one's own, which brings the endpoint back to the configuration it is told. */
  | { readonly kind: 'step-functions'; readonly stateMachine: string; readonly endpoint: string };

/** A live red that lasts is evidenced anew after this time, so that whoever acts on it never acts on old news. */
export const restateSeconds = 600;

/** When a model's endpoint is brought back, and to what. */
export interface RollbackPolicy {
  readonly lever: RollbackLever;
  /** Everything is checked, evidenced and told, and nothing is changed. */
  readonly dryRun: boolean;
  /** Green time, in sum and since its last red, that makes a configuration known to be good. */
  readonly provenSeconds: number;
  /** No rollback begins within this time of the one before. */
  readonly cooldownSeconds: number;
  /** Events that a red finding must rest on. */
  readonly minimumRecords: number;
  /** Time after the change within which verdicts must no longer be red. */
  readonly recoverySeconds: number;
}

/** What answers a model's calls, as the service that runs it says. */
export interface ServingState {
  /** Names all that decides which model answers: endpoint configuration, configuration and weights, function version. */
  readonly config: string;
  readonly status: 'ready' | 'changing' | 'failed';
  /** What it is being changed to, where the service says so. */
  readonly pending?: string | undefined;
  /** Another text after every change that the service accepted. */
  readonly revision: string;
}

/** A change that is asked for. The same `id` asks for the same change. */
export interface ServingChange {
  readonly id: string;
  readonly model: string;
  /** What was described right before. A service that can compare refuses where it is no longer so. */
  readonly from: ServingState;
  readonly to: string;
}

/** `refused`: certainly not done, nor going to be. Whatever else goes wrong is an error that leaves it open. */
export type ServingChangeResult = 'started' | 'refused';

/** An unbroken time during which one configuration answered alone. Times in milliseconds since the epoch. */
export interface ServingSpell {
  readonly config: string;
  /** From when it may have answered some calls. */
  readonly began: number;
  /** From when it was seen to answer all of them. */
  readonly since: number;
  /** When it was last seen to. */
  readonly seen: number;
}

/** How a configuration has done. */
export interface ServingStanding {
  readonly config: string;
  /** Versions that captures named while it answered alone, as `variant/version` with encoded names; at most ten. */
  readonly versions: readonly string[];
  /** Green time of judged windows since its last red. */
  readonly greenSeconds: number;
  /** Since when it is known to be good; absent: it is not. */
  readonly provenAt?: number | undefined;
}

/** Which configuration of a model's endpoint answered when, and how it did. */
export interface DeploymentRecord {
  /** Oldest first; the last one goes on unless `changing`. */
  readonly spells: readonly ServingSpell[];
  /** When a change of the configuration was first seen under way. */
  readonly changing?: number | undefined;
  readonly standings: readonly ServingStanding[];
  /** Windows that end up to here have been looked at. */
  readonly creditedThrough: number;
}

/** How a rollback ended. */
export type RollbackOutcome =
  | 'dry-run'
  | 'recovered'
  | 'not-recovered'
  | 'withdrawn'
  | 'refused'
  | 'failed'
  | 'overtaken';

/**
 * A rollback, from its intent to its outcome.
 * intended: reserved, nothing asked for yet. calling: being asked for; whether it was is unknown to others. started: the
 * service took it. serving: the configuration is back. concluded: the outcome is certain. closed: it was told.
 */
export interface RollbackAct {
  /** Of the model and the episode. */
  readonly id: string;
  readonly model: string;
  readonly episode: string;
  readonly from: string;
  readonly to: string;
  /** Key of the verdict that it acts on, and what in it. */
  readonly verdict: string;
  readonly finding: string;
  readonly dryRun: boolean;
  /** Milliseconds since the epoch of the intent. */
  readonly time: number;
  readonly phase: 'intended' | 'calling' | 'started' | 'serving' | 'concluded' | 'closed';
  /** How often the service was asked, the time under way included. */
  readonly attempts: number;
  /** `ServingState.revision` before the newest attempt. */
  readonly revisionBefore?: string | undefined;
  readonly calledAt?: number | undefined;
  readonly servingAt?: number | undefined;
  readonly concludedAt?: number | undefined;
  readonly outcome?: RollbackOutcome | undefined;
  /** Why, in a few words. */
  readonly reason?: string | undefined;
}

/** The newest rollback of a model, and those before it, oldest first. */
export interface RollbackHistory {
  readonly current?: RollbackAct | undefined;
  readonly past: readonly { readonly episode: string; readonly time: number; readonly changed: boolean }[];
}
