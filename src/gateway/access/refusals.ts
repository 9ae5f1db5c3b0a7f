/** Why somebody was turned away at the door. */
export const refusalReasons = ['key', 'right', 'origin', 'rate', 'pipeline', 'connections', 'address', 'clients'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** How often, by reason, on all ports of the process. Main thread only. */
export class Refusals {
  readonly counts: Record<RefusalReason, number> = {
    key: 0,
    right: 0,
    origin: 0,
    rate: 0,
    pipeline: 0,
    connections: 0,
    address: 0,
    clients: 0,
  };
}
