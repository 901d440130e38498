import { evidentlyJensenShannon, evidentlyKolmogorovSmirnov, evidentlyWasserstein } from './evidently.ts';
import type { PeerRule } from './peer-rule.ts';
import {
  modelMonitorRobust,
  modelMonitorSimple,
  nannyReferenceDeviation,
  populationStabilityThreshold,
} from './thresholds.ts';

/** Documented defaults of other tools, each applied to every hour and feature as its documentation says. */
export const peerRules: readonly PeerRule[] = [
  evidentlyKolmogorovSmirnov,
  evidentlyWasserstein,
  evidentlyJensenShannon,
  populationStabilityThreshold,
  modelMonitorSimple,
  modelMonitorRobust,
  nannyReferenceDeviation,
];
