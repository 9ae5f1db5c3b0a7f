import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  type Server,
  type ServiceDefinition,
  status as Status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { GatewayContext } from '../context.js';
import { readReadiness } from '../readiness.js';
import { SERVICE_NAME } from './schema.js';

/** Names the health service answers for; the empty one stands for the whole server. */
const HEALTH_NAMES: readonly string[] = ['', SERVICE_NAME];

interface HealthRequest {
  readonly service: string;
}

/** The standard health service. It says SERVING when `GET /health/ready` would say ready, as of the last `update`. */
export class Health {
  readonly #context: GatewayContext;
  readonly #service = new HealthImplementation();
  #status: 'SERVING' | 'NOT_SERVING' | undefined;

  constructor(context: GatewayContext, server: Server) {
    this.#context = context;
    this.update();
    addKnownOnly(this.#service, server);
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

/**
 * The package remembers every name that is watched, for good, and repeats every name in its answer, however long: it is asked for those there are. Of another
 * name a watcher hears SERVICE_UNKNOWN, and nothing ever after.
 */
function addKnownOnly(health: HealthImplementation, server: Server): void {
  const addService = (definition: ServiceDefinition, { check, watch, ...others }: UntypedServiceImplementation): void => {
    const checkKnown: handleUnaryCall<HealthRequest, object> = (call, callback) => {
      if (HEALTH_NAMES.includes(call.request.service)) (check as typeof checkKnown)(call, callback);
      else callback({ code: Status.NOT_FOUND, details: 'there is no such service' });
    };
    const watchKnown: handleServerStreamingCall<HealthRequest, object> = (call) => {
      if (HEALTH_NAMES.includes(call.request.service)) (watch as typeof watchKnown)(call);
      else call.write({ status: 'SERVICE_UNKNOWN' });
    };
    server.addService(definition, { ...others, check: checkKnown, watch: watchKnown });
  };
  // It adds its service, and does nothing else to a server.
  health.addToServer({ addService });
}
