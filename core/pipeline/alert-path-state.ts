import type { AlertWay } from '../model/alert-way.ts';
import type { PathState } from '../route/probe.ts';
import type { StateTable } from './ports.ts';

/** Where it is kept what is known of each way that messages take. */
export const alertPathPartition = 'alert-path';

/** Whether probes have stopped coming through, so that people were told that the way is cut. */
export async function isCut(table: StateTable, way: AlertWay): Promise<boolean> {
  const row = await table.get(alertPathPartition, way);
  return row !== undefined && (row.value as PathState).isCut;
}
