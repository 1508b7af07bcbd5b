/** Every byte that the real uploader sends, of many guests, over a first uplink that fails and a second that works. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { proofUploader } from '../../../agent/adapters/uploader.ts';
import { encodeDraft, type ProofDraft } from '../../../agent/core/proof-draft.ts';
import { ProofSealer } from '../../../agent/proofs/proof-sealer.ts';
import { channelId } from '../../../protocol/channel.ts';
import { receiptJsonFromReceipt } from '../../../protocol/receipt-wire.ts';
import { signDigest } from '../../../protocol/signature.ts';
import { GENESIS_PREV, trafficProofDigestHex } from '../../../protocol/traffic-proof.ts';
import { decodeProofUpload } from '../../../protocol/traffic-proof-wire.ts';
import { signProofReceipt } from '../../../protocol/verdict.ts';
import { signVoucher, voucherDigestHex } from '../../../protocol/voucher.ts';
import { AgentScene, settled } from '../../support/agent-scene.ts';
import { CHANNELS, REGISTRY, testKey } from '../../support/protocol-arbitraries.ts';
import { PHONE, PHONE_IP } from '../core/support/story.ts';

const DEVICE = testKey('device');
const COLLECTOR = testKey('collector');

/** Records whole requests, headers as well; answers uploads with receipts, or everything with garbage. */
async function record(test: Test, registry = REGISTRY, garbage?: string) {
  const heard: Buffer[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    heard.push(Buffer.from(`${request.method} ${request.url}\n${request.rawHeaders.join('\n')}\n`));
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      heard.push(...chunks);
      const upload = decodeProofUpload(new Uint8Array(Buffer.concat(chunks)));
      if (garbage !== undefined) return response.end(garbage);
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
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard: () => Buffer.concat(heard) };
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
  const device = scene.signer.address;
  scene.uploader = proofUploader({ collectorUrl: server.url, collector: COLLECTOR.address, deployment, device });
  scene.restart();
  const opened = await scene.desk.open(PHONE, scene.openRequest());
  t.ok(opened.ok);
  const guests = Array.from({ length: 40 }, (_, i) => ({
    mac: `02:00:5e:10:00:${(16 + i).toString(16)}` as typeof PHONE,
    address: `10.0.0.${100 + i}` as typeof PHONE_IP,
    hostname: `phone-of-guest-${i}`,
  }));
  for (const { mac, address } of guests) {
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
  const known = [...guests, { mac: PHONE, address: PHONE_IP, hostname: 'phy0' }];
  for (const { mac, address, hostname } of known) {
    const needles = [
      Buffer.from(mac.replaceAll(':', ''), 'hex'),
      Buffer.from(address.split('.').map(Number)),
      mac,
      mac.replaceAll(':', ''),
      address,
      hostname,
    ];
    for (const needle of needles) if (bytes.includes(needle)) t.fail(`${String(needle)} left the router`);
  }
});

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
