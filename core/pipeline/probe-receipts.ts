import type { Message } from '../model/delivery.ts';
import type { Probe } from '../route/probe.ts';
import type { StateTable } from './ports.ts';

const partition = 'deliveries';

/** Notes that a probe arrived: whoever sent it looks for that. */
export async function noteProbe({ tier, sent }: Probe, table: StateTable): Promise<void> {
  for (;;) {
    const row = await table.get(partition, probeKey(tier));
    if (row && (row.value as Probe).sent >= sent) return;
    if (await table.put(partition, probeKey(tier), { tier, sent } satisfies Probe, row?.revision ?? 0)) return;
  }
}

/** When the newest probe that arrived was sent; before any: minus infinity. */
export async function readProbeReceipt(table: StateTable, tier: Message['tier']): Promise<number> {
  const row = await table.get(partition, probeKey(tier));
  return row ? (row.value as Probe).sent : Number.NEGATIVE_INFINITY;
}

function probeKey(tier: Message['tier']): string {
  return `probe#${tier}`;
}
