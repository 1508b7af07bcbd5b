/** The node's offer: one signature for each change, told to a real collector over HTTP, and read back there. */
import { fastify } from 'fastify';
import t, { type Test } from 'tap';
import { proofUploader } from '../../../agent/adapters/uploader.ts';
import type { AgentConfig } from '../../../agent/core/config.ts';
import { OfferBook } from '../../../agent/identity/offer-book.ts';
import { OfferPublisher } from '../../../agent/identity/offer-publisher.ts';
import type { ProofUploader } from '../../../agent/ports.ts';
import { Registry } from '../../../fleet/registry.ts';
import { addRegistryRoutes } from '../../../fleet/registry-routes.ts';
import { RegistryStore } from '../../../fleet/registry-store.ts';
import { isServiceOfferSigned } from '../../../protocol/service-offer.ts';
import { decodeServiceOffer } from '../../../protocol/service-offer-wire.ts';
import { signDigest } from '../../../protocol/signature.ts';
import { GENESIS_PREV } from '../../../protocol/traffic-proof.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { testKey } from '../../support/protocol-arbitraries.ts';
import { testConfig } from '../core/support/story.ts';
import '../../support/own-testdir.ts';

const DEVICE = testKey('router');
const COLLECTOR = testKey('collector');
const NOW_S = 1_795_000_020n;

class Node {
  readonly clock = new FakeClock(NOW_S);
  readonly logged: string[] = [];
  signatures = 0;
  config: AgentConfig = testConfig();
  minute = 0;
  book = this.newBook();

  get deployment() {
    const { chainId, registry } = this.config.chain;
    return { chainId, registry };
  }

  newBook(): OfferBook {
    const sign = (digest: Uint8Array) => {
      this.signatures += 1;
      return signDigest(digest, DEVICE.secretKey);
    };
    const config = new Proxy({} as AgentConfig, { get: (_, name) => Reflect.get(this.config, name) });
    return new OfferBook({
      config,
      clock: this.clock,
      signer: { address: DEVICE.address, sign },
      payee: testKey('owner').address,
      minuteOfDay: () => this.minute,
    });
  }

  publisher(uploader?: ProofUploader): OfferPublisher {
    const keep = (_details: object, event: string) => void this.logged.push(event);
    return new OfferPublisher({
      offers: this.book,
      clock: this.clock,
      retryDelayMs: (attempt) => 1000 * 2 ** attempt,
      log: { info: keep, warn: keep, error: keep },
      ...(uploader === undefined ? {} : { uploader }),
    });
  }

  price(unitsPerMb: bigint): void {
    const { price } = this.config;
    this.config = { ...this.config, price: { ...price, tariff: { ...price.tariff, unitsPerMb } } };
  }
}

async function collectorFor(t: Test, node: Node) {
  const store = new RegistryStore(`${t.testdir()}/registry.db`);
  const nowS = () => node.clock.wall().unixS;
  const { deployment } = node;
  const registry = new Registry({ store, deployment, collector: COLLECTOR.address, vendors: new Map(), nowS });
  const app = fastify();
  const unused = {
    chainOf: () => ({ nextSeq: 0n, prev: GENESIS_PREV, missing: [] }),
    inTurn: <T>(f: () => Promise<T>) => f(),
    correctClock: () => Promise.reject(new Error('not asked')),
  };
  await addRegistryRoutes(app, { registry, store, deployment, collector: COLLECTOR, ...unused, nowS });
  const collectorUrl = await app.listen({ host: '127.0.0.1', port: 0 });
  t.teardown(async () => {
    await app.close();
    store.close();
  });
  const uploader = proofUploader({ collectorUrl, collector: COLLECTOR.address, deployment, device: DEVICE.address });
  const enrol = () =>
    store.put({
      device: DEVICE.address,
      state: 'active',
      method: 'key',
      credential: 'shop',
      sinceS: NOW_S,
      reason: 'key "shop"',
      replaces: undefined,
      vendorId: undefined,
      notAfter: undefined,
    });
  const offer = async () => {
    const answer = await fetch(`${collectorUrl}/v1/offers/${DEVICE.address}`);
    const decoded = decodeServiceOffer(await answer.json());
    if (!decoded.ok) throw new Error(`${answer.status}: ${decoded.path}`);
    return decoded.value;
  };
  return { uploader, enrol, offer };
}

t.test('an offer is signed once, and again when terms, tariff of the hour or half a day have passed', (t) => {
  const node = new Node();
  const first = node.book.current();
  t.ok(first !== undefined && isServiceOfferSigned(node.deployment, first));
  for (let i = 0; i < 100; i++) t.equal(node.book.current(), first);
  t.equal(node.signatures, 1);
  node.price(777n);
  const second = node.book.current();
  t.match(second, { price: 777n, serial: (first?.serial ?? 0n) + 1n }, 'a change in the same minute is the later one');
  const window = { fromMinute: 60, toMinute: 120, tariff: { unitsPerMb: 5n, unitsPerMinute: 1n } };
  node.config = { ...node.config, price: { ...node.config.price, windows: [window] } };
  t.equal(node.book.current(), second, 'a window that does not count yet changes nothing');
  node.minute = 61;
  t.match(node.book.current(), { price: 5n, pricePerMinute: 1n });
  t.match(node.book.current(), { place: { country: 'ZZ', geohash: '-' } }, 'nowhere is told unasked');
  const place = { country: 'CH', geohash: 'u0qj' };
  node.config = { ...node.config, network: { ...node.config.network, place } };
  t.match(node.book.current(), { place, price: 5n });
  const before = node.signatures;
  node.clock.unixS += 43_300n;
  const renewed = node.book.current();
  t.equal(node.signatures, before + 1);
  t.ok((renewed?.validUntil ?? 0n) > NOW_S + 86_400n);
  t.end();
});

t.test('without a clock nothing is offered: a time that is not known would be signed', (t) => {
  const node = new Node();
  node.clock.isSynced = false;
  t.equal(node.book.current(), undefined);
  t.equal(node.signatures, 0);
  t.end();
});

t.test('the collector is told at the start and at each change, and shows the offer to anyone', async (t) => {
  const node = new Node();
  const { uploader, enrol, offer } = await collectorFor(t, node);
  enrol();
  const publisher = node.publisher(uploader);
  await publisher.look();
  t.strictSame(await offer(), node.book.current());
  await publisher.look();
  t.strictSame(node.logged, ['offer-published'], 'not again while it is the same');
  node.price(4321n);
  await publisher.look();
  t.equal((await offer()).price, 4321n);
  t.strictSame(node.logged, ['offer-published', 'offer-published']);
});

t.test('an agent that starts anew in the same minute numbers its offer above the one on file', async (t) => {
  const node = new Node();
  const { uploader, enrol, offer } = await collectorFor(t, node);
  enrol();
  await node.publisher(uploader).look();
  node.price(99n);
  node.book = node.newBook();
  const publisher = node.publisher(uploader);
  await publisher.look();
  t.not((await offer()).price, 99n);
  node.clock.ms += 1000;
  await publisher.look();
  t.equal((await offer()).price, 99n);
  t.strictSame(node.logged, ['offer-published', 'offer-superseded', 'offer-published']);
});

t.test('a collector that refuses is asked again, later each time; without one nothing is tried', async (t) => {
  const node = new Node();
  const { uploader, enrol, offer } = await collectorFor(t, node);
  const publisher = node.publisher(uploader);
  await publisher.look();
  await publisher.look();
  t.strictSame(node.logged, ['offer-not-published'], 'unknown device, and not asked again at once');
  enrol();
  node.clock.ms += 1000;
  await publisher.look();
  t.match(await offer(), { device: DEVICE.address });
  t.strictSame(node.logged, ['offer-not-published', 'offer-published']);
  const alone = new Node();
  await alone.publisher().look();
  t.strictSame(alone.logged, []);
});

t.test('its clock tells when to look; closing waits for what is on its way', async (t) => {
  const node = new Node();
  const seen: bigint[] = [];
  let answer: (value: { ok: true; isTaken: boolean }) => void = () => undefined;
  const publisher = node.publisher({
    upload: () => Promise.reject(new Error('not asked')),
    publish: (offer) => {
      seen.push(offer.price);
      return new Promise((resolve) => {
        answer = resolve;
      });
    },
  });
  publisher.start();
  const closed = publisher.close();
  answer({ ok: true, isTaken: true });
  await closed;
  t.equal(seen.length, 1);
  t.strictSame(node.logged, ['offer-published']);
});
