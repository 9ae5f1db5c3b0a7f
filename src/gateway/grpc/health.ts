import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { GatewayContext } from '../context.js';
import { readReadiness } from '../readiness.js';
import { SERVICE_NAME } from './schema.js';

/** Names the health service answers for; the empty one stands for the whole server. */
const HEALTH_NAMES = ['', SERVICE_NAME] as const;

/** The standard health service. It says SERVING when `GET /health/ready` would say ready, as of the last `update`. */
export class Health {
  readonly #context: GatewayContext;
  readonly #service = new HealthImplementation();
  #status: 'SERVING' | 'NOT_SERVING' | undefined;

  constructor(context: GatewayContext, server: Server) {
    this.#context = context;
    this.update();
    this.#service.addToServer(server);
  }

  update(): void {
    const { market, limits } = this.#context;
    this.#set(readReadiness(market, limits.readyShare).ready ? 'SERVING' : 'NOT_SERVING');
  }

  shutDown(): void {
    this.#set('NOT_SERVING');
  }

  /** Watchers hear of changes only. */
  #set(status: 'SERVING' | 'NOT_SERVING'): void {
    if (status === this.#status) return;
    this.#status = status;
    for (const name of HEALTH_NAMES) this.#service.setStatus(name, status);
  }
}
