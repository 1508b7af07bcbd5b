/**
 * Every byte that a router sends to a collector, in each of the requests that there are (protocol/collector-requests.ts), with many
 * guests at hand; and uploads over a first uplink that fails and a second that works.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { IdentityFiles } from '../../../agent/adapters/identity-files.ts';
import { SqliteJournal } from '../../../agent/adapters/journal/sqlite-journal.ts';
import { nodeSigner } from '../../../agent/adapters/node-signer.ts';
import { proofUploader, uploaderFrom } from '../../../agent/adapters/uploader.ts';
import { enrolAtStart, enrolOnce } from '../../../agent/cli/enrol-once.ts';
import { rotateKey } from '../../../agent/cli/rotate-key.ts';
import type { IpAddress, Mac } from '../../../agent/core/model.ts';
import { encodeDraft, type ProofDraft } from '../../../agent/core/proof-draft.ts';
import { bindTo } from '../../../agent/identity/identity.ts';
import { serviceOffer } from '../../../agent/identity/service-offer.ts';
import type { ProofUploader } from '../../../agent/ports.ts';
import { ProofSealer } from '../../../agent/proofs/proof-sealer.ts';
import { channelId } from '../../../protocol/channel.ts';
import { clockCorrectionDigest } from '../../../protocol/clock-statement.ts';
import { COLLECTOR_REQUESTS } from '../../../protocol/collector-requests.ts';
import { receiptJsonFromReceipt } from '../../../protocol/receipt-wire.ts';
import { bytes32FromText } from '../../../protocol/short-text.ts';
import { signDigest } from '../../../protocol/signature.ts';
import { GENESIS_PREV, trafficProofDigestHex } from '../../../protocol/traffic-proof.ts';
import { decodeProofUpload } from '../../../protocol/traffic-proof-wire.ts';
import { signVendorAttestation } from '../../../protocol/vendor-attestation.ts';
import { signProofReceipt } from '../../../protocol/verdict.ts';
import { signVoucher, voucherDigestHex } from '../../../protocol/voucher.ts';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { CHANNELS, REGISTRY, testKey } from '../../support/protocol-arbitraries.ts';
import { PHONE, PHONE_IP } from '../core/support/story.ts';
import { RotationRouter } from '../identity/rotation-router.ts';
import '../../support/own-testdir.ts';

const DEVICE = testKey('device');
const COLLECTOR = testKey('collector');

/** Records whole requests, headers as well; answers uploads with receipts, or everything with garbage. */
async function record(test: Test, registry = REGISTRY, garbage?: string) {
  const heard: Buffer[] = [];
  const lines = new Set<string>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    lines.add(`${request.method} ${request.url?.replace(/0x[0-9a-f]{40}/, ':device')}`);
    heard.push(Buffer.from(`${request.method} ${request.url}\n${request.rawHeaders.join('\n')}\n`));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      heard.push(...chunks);
      const upload = decodeProofUpload(new Uint8Array(Buffer.concat(chunks)));
      if (garbage !== undefined) return response.end(garbage);
      if (request.url === '/v1/enrolments/challenge') return response.end(JSON.stringify(CHALLENGE));
      // Whoever asks for the head is to sign for it.
      const isAnonymous = request.url?.endsWith('/head') && request.headers.authorization === undefined;
      if (isAnonymous) return response.writeHead(401, { 'ssp-until': '1795305600' }).end('{}');
      if (!upload.ok) return response.writeHead(404).end('{}');
      const proof = trafficProofDigestHex(registry, upload.value.proof);
      const receipt = { collector: COLLECTOR.address, proof, verdict: 'valid' as const, receivedS: 1n };
      return response.end(
        JSON.stringify(receiptJsonFromReceipt(signProofReceipt(registry, receipt, COLLECTOR.secretKey))),
      );
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  test.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, lines, heard: () => Buffer.concat(heard) };
}

const CHALLENGE = { v: 1, collector: COLLECTOR.address, nonce: GENESIS_PREV, expiresS: '1795305600' };

type Known = { readonly mac: Mac; readonly address: IpAddress; readonly hostname: string };

const GUESTS = Array.from(
  { length: 40 },
  (_, i): Known => ({
    mac: `02:00:5e:10:00:${(16 + i).toString(16)}` as Mac,
    address: `10.0.0.${100 + i}` as IpAddress,
    hostname: `phone-of-guest-${i}`,
  }),
);
const ALL_KNOWN: readonly Known[] = [...GUESTS, { mac: PHONE, address: PHONE_IP, hostname: 'phy0' }];

function searchedFor(test: Test, bytes: Buffer): void {
  const lower = Buffer.from(bytes.toString('latin1').toLowerCase(), 'latin1');
  for (const { mac, address, hostname } of ALL_KNOWN) {
    const binary = [Buffer.from(mac.replaceAll(':', ''), 'hex'), Buffer.from(address.split('.').map(Number))];
    const text = [mac, mac.replaceAll(':', ''), mac.replaceAll(':', '-'), address, hostname];
    for (const needle of binary) if (bytes.includes(needle)) test.fail(`${needle.toString('hex')} left the router`);
    for (const needle of text) if (lower.includes(needle)) test.fail(`${needle} left the router`);
  }
}

function draft(): ProofDraft {
  const key = testKey('guest');
  const { address } = key;
  const config = {
    payer: address,
    signer: address,
    payee: address,
    device: DEVICE.address,
    expiry: 9n,
    exitDelay: 1n,
    salt: GENESIS_PREV,
  };
  const id = channelId(CHANNELS, config);
  const voucher = { ...signVoucher(CHANNELS, { channelId: id, amount: 5n, ackBytes: 0n }, key.secretKey), config };
  const leaf = {
    sessionId: GENESIS_PREV,
    channelId: id,
    bytesUp: 1n,
    bytesDown: 2n,
    paid: 3n,
    voucherDigest: voucherDigestHex(CHANNELS, voucher),
  };
  return { epoch: 1n, startS: 1n, endS: 2n, clockState: 1n, leaves: [leaf], vouchers: [voucher] };
}

const sealed = new ProofSealer(
  { address: DEVICE.address, sign: (digest) => signDigest(digest, DEVICE.secretKey) },
  REGISTRY,
).seal(draft(), { nextSeq: 0n, prev: GENESIS_PREV });

t.test('no MAC, no address, no host name of any guest is in a byte that leaves the router', async (t) => {
  const scene = new AgentScene();
  const { chainId, registry } = scene.config.chain;
  const server = await record(t, { chainId, registry });
  const deployment = { chainId, registry };
  const { address: device, sign } = scene.signer;
  scene.uploader = proofUploader({ collectorUrl: server.url, collector: COLLECTOR.address, deployment, device, sign });
  scene.restart();
  const opened = await scene.desk.open(PHONE, scene.openRequest());
  t.ok(opened.ok);
  for (const { mac, address } of GUESTS) {
    scene.driver.dispatch({ kind: 'station-joined', mac, port: 'phy0' as never });
    scene.driver.dispatch({ kind: 'address-leased', mac, address });
  }
  for (let round = 0; round < 3; round++) {
    scene.download(1_000_000n);
    await scene.sample();
    scene.clock.ms += 60_000;
    for (let turn = 0; turn < 200 && scene.journal.waiting().signed + scene.journal.waiting().drafts === 0; turn++) {
      scene.proofs.poll();
      await settled();
    }
    for (let turn = 0; turn < 500 && scene.journal.waiting().signed + scene.journal.waiting().drafts > 0; turn++) {
      scene.clock.ms += 1_000;
      scene.proofs.poll();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
  const bytes = server.heard();
  t.equal(scene.journal.waiting().signed, 0, 'all was sent');
  t.ok(bytes.includes(Buffer.from(device.slice(2), 'hex')), 'the search works: the device is found');
  searchedFor(t, bytes);
});

t.test('nor in any other request to a collector, header or body; each that there is was sent', async (t) => {
  const server = await record(t);
  const router = new RotationRouter(t.testdir(), { key: DEVICE, collector: COLLECTOR, collectorUrl: server.url });
  const journal = new SqliteJournal({ path: router.journalPath });
  await journal.commit(
    GUESTS.map(({ mac }, i) => ({ kind: 'trial' as const, mac, dayS: 0n, usedBytes: 1_000n + BigInt(i) })),
  );
  journal.close();
  const { config } = router;
  const signer = nodeSigner(config.storage);
  const uploader = uploaderFrom(config, signer) as Required<ProofUploader>;
  await uploader.upload(sealed.body);
  t.match(await uploader.head(), { ok: true }, 'signed for');
  await uploader.time();
  await uploader.publish(
    serviceOffer({ config, signer, payee: COLLECTOR.address }, config.price.tariff, 1_795_305_600n),
  );
  const correction = { device: DEVICE.address, fromSeq: 0n, toSeq: 1n, bootS: 1n, statement: GENESIS_PREV };
  const signature = signer.sign(clockCorrectionDigest(REGISTRY, correction));
  await uploader.correct({ ...correction, signature });
  await enrolAsEach(router);
  await t.rejects(rotateKey(config, false), /not-rotated|old key stays/);
  t.strictSame([...server.lines].toSorted(), [...COLLECTOR_REQUESTS].toSorted());
  const bytes = server.heard();
  for (const said of ['SSP-Access', '"serial":"SN-7"', DEVICE.address]) t.ok(bytes.includes(said), `${said} is found`);
  searchedFor(t, bytes);
});

/** With each kind of credential, and with a binding. */
async function enrolAsEach({ config, keyPath }: RotationRouter): Promise<void> {
  const files = new IdentityFiles(keyPath);
  const signer = nodeSigner(config.storage);
  files.storeBinding(bindTo(REGISTRY, signer, COLLECTOR.address, undefined));
  const vendor = { vendorId: 7n, device: DEVICE.address, model: bytes32FromText('R1'), notAfter: 4_000_000_000n };
  await enrolOnce(config, {
    method: 'attestation',
    attestation: signVendorAttestation(REGISTRY, vendor, COLLECTOR.secretKey),
  });
  await enrolOnce(config, { method: 'key', key: GENESIS_PREV });
  await enrolOnce(config, { method: 'serial', serial: 'SN-7' });
  // What the agent does at its start: the binding follows.
  await enrolAtStart(config, new AbortController().signal, { info: () => undefined, warn: () => undefined });
}

t.test('when the first way fails the second is used: another address, or another local address', async (t) => {
  const server = await record(t);
  const options = { collector: COLLECTOR.address, deployment: REGISTRY };
  const dead = 'http://127.0.0.1:1';
  t.match(await proofUploader({ ...options, collectorUrl: dead, backupUrls: [server.url] }).upload(sealed.body), {
    ok: true,
  });
  // 127.0.0.2 is a second uplink as far as the kernel cares; the first way refuses by a captive portal's redirect.
  const from = proofUploader({ ...options, collectorUrl: server.url, backupAddress: '127.0.0.2' });
  t.match(await from.upload(sealed.body), { ok: true });
  const garbage = await record(t, REGISTRY, '<html>');
  const both = proofUploader({ ...options, collectorUrl: garbage.url, backupUrls: [dead], backupAddress: '127.0.0.2' });
  t.match(await both.upload(sealed.body), { ok: false, message: /not JSON/ }, 'what the first way said is told');
  t.equal(
    garbage.heard().toString('latin1').split('POST /v1/proofs').length - 1,
    2,
    'and the other local address was tried',
  );
});

t.test('a collector that answers garbage or lies about the chain and the time is not believed', async (t) => {
  const head = (proof: string) => `{"v":1,"proof":"${proof}","receipt":{}}`;
  const forged = Buffer.from(encodeDraft(draft(), DEVICE.address)).toString('hex');
  for (const garbage of ['', '{', '[]', 'null', head('0x00'), head(`0x${forged}`), 'x'.repeat(20_000)]) {
    const server = await record(t, REGISTRY, garbage);
    const options = {
      collectorUrl: server.url,
      collector: COLLECTOR.address,
      deployment: REGISTRY,
      device: DEVICE.address,
    };
    const uploader = proofUploader(options);
    for (const answer of [await uploader.head?.(), await uploader.time?.(), await uploader.upload(sealed.body)]) {
      t.match(answer, { ok: false }, garbage.slice(0, 30));
    }
  }
});
