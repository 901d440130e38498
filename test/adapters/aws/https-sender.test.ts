import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpsPoster, type HttpsSenderOptions } from '../../../adapters/aws/https-sender.ts';
import { isPublicAddress } from '../../../adapters/aws/public-address.ts';
import { DeliveryFailed, DeliveryRefused } from '../../../core/model/delivery-errors.ts';

const read = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), 'utf8');
const cert = read('cert.pem');
const url = new URL('https://hooks.example.com/in?key=1');

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly host: string | undefined;
  readonly body: string;
}

/** A server on this machine under a public name, and a sender that may connect to it. */
async function serve(
  status: number | 'hang' | 'endless',
  options: HttpsSenderOptions = {},
  headers: Record<string, string> = {},
) {
  const received: Received[] = [];
  const made = createServer({ key: read('key.pem'), cert }, (request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      received.push({ method: request.method, path: request.url, host: request.headers.host, body });
      if (status === 'hang') return;
      response.writeHead(status === 'endless' ? 200 : status, headers);
      if (status !== 'endless') return response.end('{"status":"success"}');
      const pour = () => {
        while (response.write('x'.repeat(65_536)));
        response.once('drain', pour);
      };
      pour();
    });
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  const { port } = made.address() as AddressInfo;
  const poster = new HttpsPoster({
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
    isAllowed: (address) => address === '127.0.0.1',
    connection: { port, ca: cert },
    timeoutMilliseconds: 3_000,
    ...options,
  });
  return { poster, received };
}

describe('posting', () => {
  test('sends the body to the name that was asked for, at the address that was checked', async () => {
    const { poster, received } = await serve(202);
    expect(await poster.post(url, '{"a":"é"}', { 'content-type': 'application/json' })).toEqual({ status: 202 });
    expect(received).toEqual([
      { method: 'POST', path: '/in?key=1', host: expect.stringContaining('hooks.example.com'), body: '{"a":"é"}' },
    ]);
  });

  test.each([[500], [429], [400], [307]])(
    'an answer of %i is an answer; redirects are not followed',
    async (status) => {
      const { poster, received } = await serve(status, {}, { location: 'https://hooks.example.com/other' });
      expect(await poster.post(url, 'x', {})).toEqual({ status });
      expect(received).toHaveLength(1);
    },
  );

  test('a server that hangs is given up', async () => {
    const { poster } = await serve('hang', { timeoutMilliseconds: 200 });
    const began = performance.now();
    await expect(poster.post(url, 'x', {})).rejects.toThrow(DeliveryFailed);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('a resolver that hangs is given up', async () => {
    const poster = new HttpsPoster({ resolve: () => new Promise(() => {}), timeoutMilliseconds: 50 });
    await expect(poster.post(url, 'x', {})).rejects.toThrow('within 50 milliseconds');
  });

  test('an endless answer is read no further', async () => {
    const { poster } = await serve('endless');
    expect(await poster.post(url, 'x', {})).toEqual({ status: 200 });
  });

  test('a server of another name is not trusted', async () => {
    const { poster, received } = await serve(200);
    await expect(poster.post(new URL('https://other.example.com/'), 'x', {})).rejects.toThrow(DeliveryFailed);
    expect(received).toEqual([]);
  });

  test('a body that is too large is not sent', async () => {
    const { poster, received } = await serve(200);
    await expect(poster.post(url, 'x'.repeat(400_001), {})).rejects.toThrow(DeliveryRefused);
    expect(received).toEqual([]);
  });
});

describe('addresses', () => {
  const refusedBy = async (addresses: readonly string[]) => {
    const { poster, received } = await serve(200, {
      resolve: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      isAllowed: isPublicAddress,
    });
    await expect(poster.post(url, 'x', {})).rejects.toThrow(DeliveryRefused);
    expect(received).toEqual([]);
  };

  test('of this machine are refused, also beside public ones', async () => {
    await refusedBy(['127.0.0.1']);
    await refusedBy(['93.184.215.14', '127.0.0.1']);
    await refusedBy(['::1', '93.184.215.14']);
  });

  test('a name that changes its mind after the check is connected to as it was checked', async () => {
    let asked = 0;
    const { poster, received } = await serve(200, {
      resolve: async () => [{ address: asked++ === 0 ? '127.0.0.1' : '169.254.169.254', family: 4 }],
    });
    await poster.post(url, 'x', {});
    expect([asked, received.length]).toEqual([1, 1]);
  });

  test('a name without any fails, and may work later', async () => {
    for (const resolve of [async () => [], () => Promise.reject(new Error('ENOTFOUND'))]) {
      await expect(new HttpsPoster({ resolve }).post(url, 'x', {})).rejects.toThrow(DeliveryFailed);
    }
  });

  test.each([
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://2130706433/',
    'https://0x7f.1/',
    'http://hooks.example.com/',
  ])('%s is refused before anything is asked', async (text) => {
    const resolve = () => Promise.reject(new Error('asked'));
    await expect(new HttpsPoster({ resolve }).post(new URL(text), 'x', {})).rejects.toThrow(DeliveryRefused);
  });
});

describe('public addresses', () => {
  test.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.64.0.1',
    '100.127.255.255',
    '127.8.9.10',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.168.1.1',
    '198.18.0.1',
    '198.19.255.255',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:10.0.0.1',
    '::ffff:8.8.8.8',
    '::ffff:7f00:1',
    '64:ff9b::a00:1',
    '64:ff9b:1::1',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '3fff::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '',
    'localhost',
    '1.2.3',
    '010.0.0.1',
  ])('%s is none', (address) => expect(isPublicAddress(address)).toBe(false));

  test.each(['8.8.8.8', '93.184.215.14', '100.63.255.255', '172.32.0.1', '2606:4700::1111', '2a00:1450::1'])(
    '%s is one',
    (address) => expect(isPublicAddress(address)).toBe(true),
  );

  test('no text throws, and no private address slips through in another spelling', () => {
    fc.assert(fc.property(fc.string(), (text) => !isPublicAddress(text)));
    const octet = fc.integer({ min: 0, max: 255 });
    const hidden = fc.tuple(fc.constantFrom(10, 127), octet, octet, octet);
    fc.assert(
      fc.property(hidden, ([a, b, c, d]) => {
        const high = ((a << 8) | b).toString(16);
        const low = ((c << 8) | d).toString(16);
        for (const text of [
          `${a}.${b}.${c}.${d}`,
          `::ffff:${a}.${b}.${c}.${d}`,
          `::${high}:${low}`,
          `2002:${high}:${low}::`,
        ])
          expect([text, isPublicAddress(text)]).toEqual([text, false]);
      }),
    );
  });
});
