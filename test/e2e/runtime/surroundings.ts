import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

/**
 * What surrounds a deployed function in this run, set up before its bundle is loaded (NODE_OPTIONS). The bundle itself is the
 * one that AWS would get, with all of its checks.
 *
 * - TIDEWATCH_E2E_CLOCK: a file with the milliseconds by which the function's clock is ahead, or behind where negative.
 * - TIDEWATCH_E2E_ROUTES: JSON, a list of {host, address, port}. The host's name stands for the address, a public one, as in a
 *   resolver; a connection to port 443 of that address arrives at the port of this machine, as behind a router.
 */

/** So often the clock's file is read. */
const rereadMilliseconds = 20;

const clockFile = process.env.TIDEWATCH_E2E_CLOCK;
if (clockFile !== undefined) {
  const now = Date.now;
  let offset = 0;
  let readAt = Number.NEGATIVE_INFINITY;
  Date.now = () => {
    if (performance.now() - readAt > rereadMilliseconds) {
      offset = Number(readFileSync(clockFile, 'utf8'));
      readAt = performance.now();
    }
    return now() + offset;
  };
}

interface Route {
  readonly host: string;
  readonly address: string;
  readonly port: number;
}

const routes: readonly Route[] = JSON.parse(process.env.TIDEWATCH_E2E_ROUTES ?? '[]');
if (routes.length > 0) {
  const { lookup } = dns.promises;
  Object.assign(dns.promises, {
    lookup: async (host: string, options: LookupOptions = {}) => {
      const route = routes.find((one) => one.host === host);
      if (!route) return lookup(host, options);
      const found: LookupAddress = { address: route.address, family: 4 };
      return options.all ? [found] : found;
    },
  });
  const connect = net.Socket.prototype.connect;
  const routed = function (this: net.Socket, ...given: unknown[]): unknown {
    const [options, ...rest] = given;
    const route = findRoute(options);
    const led = route ? { ...Object(options), host: '127.0.0.1', port: route.port, lookup: undefined } : options;
    return Reflect.apply(connect, this, [led, ...rest]);
  };
  Object.assign(net.Socket.prototype, { connect: routed });
  syncBuiltinESMExports();
}

/** By the address that the function's own look-up gives for a connection. */
function findRoute(options: unknown): Route | undefined {
  if (typeof options !== 'object' || options === null || !('lookup' in options) || !('port' in options))
    return undefined;
  if (options.port !== 443 || typeof options.lookup !== 'function') return undefined;
  let address: unknown;
  options.lookup('', {}, (_error: unknown, given: unknown) => {
    address = given;
  });
  return routes.find((route) => route.address === address);
}
