import { lookup as resolveName } from 'node:dns/promises';
import { type RequestOptions, request } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { DeliveryFailed, DeliveryRefused } from '../../core/model/delivery-errors.ts';
import type { HttpsAnswer, HttpsSender } from '../../core/pipeline/ports.ts';
import { isPublicAddress } from './public-address.ts';

/** An address that a name stands for. */
export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface HttpsSenderOptions {
  /** From the beginning of the look-up to the end of the answer. */
  readonly timeoutMilliseconds?: number;
  /** @default - the system's resolver */
  readonly resolve?: (host: string) => Promise<readonly ResolvedAddress[]>;
  /** Whether an address may be connected to. */
  readonly isAllowed?: (address: string) => boolean;
  /** Changes to the request, for a server with a certificate of its own. */
  readonly connection?: Pick<RequestOptions, 'ca' | 'port'>;
}

const defaultTimeoutMilliseconds = 8_000;
/** Answers are read no further: nothing is taken from them but their status. */
const maximumAnswerBytes = 65_536;
const maximumBodyBytes = 400_000;

/**
 * Posts by https to public addresses. The name is resolved here, every address it stands for must be public, and the
 * connection is made to the very address that was checked: a name that changes its mind in between gains nothing. TLS
 * still proves the name. Redirects are answers like any others, proxies are not used, connections are not kept.
 */
export class HttpsPoster implements HttpsSender {
  readonly #timeout: number;
  readonly #resolve: (host: string) => Promise<readonly ResolvedAddress[]>;
  readonly #isAllowed: (address: string) => boolean;
  readonly #connection: Pick<RequestOptions, 'ca' | 'port'>;

  constructor(options: HttpsSenderOptions = {}) {
    this.#timeout = options.timeoutMilliseconds ?? defaultTimeoutMilliseconds;
    this.#resolve = options.resolve ?? ((host) => resolveName(host, { all: true, verbatim: true }));
    this.#isAllowed = options.isAllowed ?? isPublicAddress;
    this.#connection = options.connection ?? {};
  }

  async post(url: URL, body: string, headers: Readonly<Record<string, string>>): Promise<HttpsAnswer> {
    const host = url.hostname;
    if (url.protocol !== 'https:') throw new DeliveryRefused(`${host}: expected https, saw ${url.protocol}`);
    if (isIP(host.replace(/^\[|\]$/g, '')) !== 0) throw new DeliveryRefused(`${host}: expected a name, saw an address`);
    const bytes = Buffer.from(body);
    if (bytes.length > maximumBodyBytes) {
      throw new DeliveryRefused(`${host}: expected at most ${maximumBodyBytes} bytes to send, saw ${bytes.length}`);
    }
    const signal = AbortSignal.timeout(this.#timeout);
    const target = await this.#choose(host, signal);
    return this.#send(url, bytes, headers, target, signal);
  }

  async #choose(host: string, signal: AbortSignal): Promise<ResolvedAddress> {
    const late = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(this.#hangs(host)), { once: true }),
    );
    const addresses = await Promise.race([this.#resolve(host), late]).catch((cause: unknown) => {
      if (cause instanceof DeliveryFailed) throw cause;
      throw new DeliveryFailed(`${host}: expected an address, its name can't be resolved`);
    });
    const [first] = addresses;
    if (!first) throw new DeliveryFailed(`${host}: expected an address, saw none`);
    const inside = addresses.find(({ address }) => !this.#isAllowed(address));
    if (inside) throw new DeliveryRefused(`${host}: expected public addresses only, saw ${inside.address}`);
    return addresses.find(({ family }) => family === 4) ?? first;
  }

  #send(
    url: URL,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    { address, family }: ResolvedAddress,
    signal: AbortSignal,
  ): Promise<HttpsAnswer> {
    const host = url.hostname;
    const lookup: LookupFunction = (_host, { all }, callback) =>
      all ? callback(null, [{ address, family }]) : callback(null, address, family);
    return new Promise((resolve, reject) => {
      const fail = () => reject(signal.aborted ? this.#hangs(host) : new DeliveryFailed(`${host}: connection failed`));
      const sent = request(
        {
          method: 'POST',
          host,
          servername: host,
          port: 443,
          path: `${url.pathname}${url.search}`,
          headers: { ...headers, 'content-length': String(body.length), 'user-agent': 'tidewatch' },
          agent: false,
          lookup,
          signal,
          ...this.#connection,
        },
        (answer) => {
          let bytes = 0;
          const finish = () => resolve({ status: answer.statusCode ?? 0 });
          answer.on('data', (chunk: Buffer) => {
            bytes += chunk.length;
            if (bytes <= maximumAnswerBytes) return;
            finish();
            sent.destroy();
          });
          answer.on('end', finish);
          answer.on('error', fail);
        },
      );
      sent.on('error', fail);
      sent.end(body);
    });
  }

  #hangs(host: string): DeliveryFailed {
    return new DeliveryFailed(`${host}: expected an answer within ${this.#timeout} milliseconds, saw none`);
  }
}
