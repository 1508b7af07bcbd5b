import t from 'tap';
import * as v from 'valibot';
import { offerAnswer } from '../../captive-portal/answer-schemas.ts';
import {
  BANDWIDTH,
  isServiceOfferSigned,
  type SignedServiceOffer,
  signServiceOffer,
} from '../../protocol/service-offer.ts';
import { decodeServiceOffer } from '../../protocol/service-offer-wire.ts';
import { REGISTRY, testKey } from '../support/protocol-arbitraries.ts';
import { cafe, HOST, NOW_S } from './support/cafe.ts';

const DEVICE = testKey('device');

function offer(price: bigint): SignedServiceOffer {
  const terms = {
    device: DEVICE.address,
    payee: testKey('owner').address,
    serial: price,
    ...BANDWIDTH,
    price,
    quantity: 1_000_000n,
    pricePerMinute: 0n,
    minDeposit: 20_000n,
    limits: [{ name: 'downKbps', value: 50_000n }],
    place: { country: 'ZZ', geohash: '-' },
    validFrom: NOW_S,
    validUntil: NOW_S + 86_400n,
  };
  return signServiceOffer(REGISTRY, terms, DEVICE.secretKey);
}

/** From an address that the neighbour table does not know. */
const get = (headers: object = {}) =>
  ({ method: 'GET', url: '/v1/offer', headers: { host: HOST, ...headers }, remoteAddress: '10.7.0.99' }) as const;

t.test('anyone gets the signed offer, and may ask whether it is still the same', async (t) => {
  let current = offer(1000n);
  const { app } = await cafe({ offer: () => current });
  const first = await app.inject(get());
  t.equal(first.statusCode, 200);
  t.ok(v.is(offerAnswer, first.json()));
  const decoded = decodeServiceOffer(first.json());
  t.ok(decoded.ok && isServiceOfferSigned(REGISTRY, decoded.value));
  t.match(first.headers, { 'cache-control': 'no-cache', etag: /^"[\w-]{22}"$/ });
  const etag = String(first.headers.etag);
  for (const tag of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const again = await app.inject(get({ 'if-none-match': tag }));
    t.equal(again.statusCode, 304, tag);
    t.equal(again.body, '');
  }
  current = offer(2000n);
  const changed = await app.inject(get({ 'if-none-match': etag }));
  t.equal(changed.statusCode, 200);
  t.equal(changed.json().price, '2000');
  t.not(changed.headers.etag, etag);
});

t.test('while there is no clock there is no offer, and it says so', async (t) => {
  const { app } = await cafe({ offer: () => undefined });
  const response = await app.inject(get());
  t.equal(response.statusCode, 503);
  t.match(response.headers, { 'retry-after': '60', 'content-type': /problem\+json/ });
});

t.test('under another name it is a probe like any other', async (t) => {
  const { app } = await cafe({ offer: () => offer(1n) });
  const response = await app.inject({ ...get(), headers: { host: 'example.org' } });
  t.equal(response.statusCode, 302);
});
