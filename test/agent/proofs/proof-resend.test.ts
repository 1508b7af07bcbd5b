/** A collector that lost proofs, over the real HTTP path: it names what is missing, and the router sends it again. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { missingFrom, proofUploader } from '../../../agent/adapters/uploader.ts';
import { COLLECTOR, type OpenCollector, openCollector } from '../../fleet/open-collector.ts';
import { AgentScene, NODE, settled } from '../../support/agent-scene.ts';
import { PHONE } from '../core/support/story.ts';

class Uplink {
  readonly scene = new AgentScene();
  readonly uploads: string[] = [];
  collector: OpenCollector | undefined;
  #url = '';
  readonly #directory: string;

  constructor(t: Test) {
    this.#directory = t.testdir();
    t.teardown(() => this.collector?.close());
  }

  /** A collector with the storage of that name. */
  async use(name: string): Promise<void> {
    await this.collector?.close();
    const { chainId, channels, registry } = this.scene.config.chain;
    this.collector = await openCollector(join(this.#directory, name), [], {
      deployment: { chainId, channels, registry },
      devices: (address) => (address === NODE.device ? { isRevoked: false, linkBytesPerS: 125_000_000n } : undefined),
      nowS: () => this.scene.clock.wall().unixS,
    });
    this.#url = await this.collector.app.listen({ host: '127.0.0.1', port: 0 });
    this.plugIn();
  }

  plugIn(): void {
    const { chainId, registry } = this.scene.config.chain;
    const http = proofUploader({
      collectorUrl: this.#url,
      collector: COLLECTOR.address,
      deployment: { chainId, registry },
    });
    this.scene.uploader = {
      upload: async (body) => {
        const answer = await http.upload(body);
        this.uploads.push(answer.ok ? answer.receipt.verdict : answer.message);
        return answer;
      },
    };
  }

  async buy(): Promise<void> {
    const result = await this.scene.desk.open(PHONE, this.scene.openRequest());
    if (!result.ok) throw new Error(result.reason);
  }

  /** An interval with 500 kB in it is closed, and all that can be sent is. */
  async interval(): Promise<void> {
    this.scene.download(500_000n);
    await this.scene.sample();
    await this.pass();
  }

  async pass(): Promise<void> {
    this.scene.clock.ms += 60_000;
    this.scene.proofs.poll();
    for (let turn = 0; turn < 400; turn++) await settled();
  }

  verdicts() {
    return this.collector?.store
      .verdicts(NODE.device, 0n, 100)
      .toSorted((a, b) => Number(a.seq - b.seq))
      .map(({ seq, verdict }) => `${seq} ${verdict}`);
  }

  receipts() {
    return this.scene.journal
      .proofs(100)
      .map(({ receipt }) => receipt?.verdict)
      .reverse();
  }
}

t.test('what a collector lost is sent again when it asks, and all is valid on both sides', async (t) => {
  const uplink = new Uplink(t);
  await uplink.use('first');
  uplink.scene.restart();
  await uplink.buy();
  for (let i = 0; i < 4; i++) await uplink.interval();
  t.strictSame(uplink.verdicts(), ['0 valid', '1 valid', '2 valid', '3 valid']);
  uplink.uploads.length = 0;
  await uplink.use('empty');
  uplink.scene.restart();
  await uplink.scene.driver.reconciled();
  await uplink.interval();
  t.strictSame(uplink.verdicts(), ['0 valid', '1 valid', '2 valid', '3 valid', '4 valid']);
  t.strictSame(uplink.receipts(), ['valid', 'valid', 'valid', 'valid', 'valid'], 'the owner sees no gap either');
  t.equal(uplink.uploads[0], 'gap', 'the gap was real');
  t.ok(uplink.scene.events().includes('proofs-sent-again'));
  const before = uplink.uploads.length;
  await uplink.pass();
  await uplink.interval();
  t.equal(uplink.uploads.length, before + 1, 'and that was it');
});

t.test('an agent that dies before the gap is filled goes on after its start', async (t) => {
  const uplink = new Uplink(t);
  await uplink.use('first');
  uplink.scene.restart();
  await uplink.buy();
  for (let i = 0; i < 3; i++) await uplink.interval();
  await uplink.use('empty');
  const real = uplink.scene.uploader;
  let left = 2;
  uplink.scene.uploader = {
    upload: async (body) => (left-- > 0 && real ? await real.upload(body) : { ok: false, message: 'the line is cut' }),
  };
  uplink.scene.restart();
  await uplink.scene.driver.reconciled();
  await uplink.interval();
  t.strictSame(uplink.verdicts(), ['3 gap']);
  uplink.plugIn();
  uplink.scene.restart();
  await uplink.pass();
  t.strictSame(uplink.verdicts(), ['0 valid', '1 valid', '2 valid', '3 valid']);
  t.strictSame(uplink.receipts(), ['valid', 'valid', 'valid', 'valid']);
});

t.test('what the journal keeps no longer is told, and not asked for without end', async (t) => {
  const uplink = new Uplink(t);
  await uplink.use('first');
  uplink.scene.restart();
  await uplink.buy();
  for (let i = 0; i < 3; i++) await uplink.interval();
  const { journal } = uplink.scene;
  const body = journal.proofBody.bind(journal);
  journal.proofBody = (seq) => (seq === 1n ? undefined : body(seq));
  await uplink.use('empty');
  uplink.scene.restart();
  await uplink.scene.driver.reconciled();
  await uplink.interval();
  t.strictSame(uplink.verdicts()?.slice(0, 2), ['0 valid', '2 gap']);
  t.ok(uplink.scene.events().includes('missing-proofs-not-kept'));
  const before = uplink.uploads.length;
  for (let i = 0; i < 3; i++) await uplink.pass();
  t.equal(uplink.uploads.length, before);
});

t.test('a collector that always lacks something is fed once, and only what was sent before', async (t) => {
  const uplink = new Uplink(t);
  await uplink.use('first');
  const honest = uplink.scene;
  honest.restart();
  await uplink.buy();
  for (let i = 0; i < 3; i++) await uplink.interval();
  let uploads = 0;
  const real = honest.uploader;
  honest.uploader = {
    upload: async (bytes) => {
      uploads += 1;
      const answer = await (real as NonNullable<typeof real>).upload(bytes);
      if (!answer.ok) return answer;
      const receipt = { ...answer.receipt, verdict: 'gap' as const };
      return { ok: true, receipt, missing: [{ from: 0n, to: 4_000_000_000n }] };
    },
  };
  honest.restart();
  await honest.driver.reconciled();
  await uplink.interval();
  for (let i = 0; i < 5; i++) await uplink.pass();
  t.ok(uploads <= 16, `${uploads} uploads`);
});

t.test('the header is read strictly', (t) => {
  t.strictSame(missingFrom('3-5,9'), [
    { from: 3n, to: 5n },
    { from: 9n, to: 9n },
  ]);
  t.strictSame(missingFrom('5-3, x, -1, 1e9, 99999999999, '), []);
  t.equal(missingFrom(Array.from({ length: 500 }, (_, i) => i).join(',')).length, 64);
  t.end();
});
