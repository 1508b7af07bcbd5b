/** Passes: on record before they are funded, funded once, never more than the node's wallet can pay. */
import t from 'tap';
import { emptyState } from '../../../agent/core/state.ts';
import { MAX_PASS_UNITS, MAX_PASSES_PER_BATCH, PassDesk, type PassDeskDeps } from '../../../agent/guest/pass-desk.ts';
import type { ChainFailure, StoredPass } from '../../../agent/ports.ts';
import { addressFromPassCode, passCodeFor } from '../../../agent/treasury/pass-codes.ts';
import type { Address } from '../../../protocol/address.ts';
import { parsePassCode } from '../../../protocol/pass-code.ts';
import { settled } from '../../support/agent-scene.ts';

const GAS_KEY: Address = `0x${'6a'.repeat(20)}`;
const SEED = new Uint8Array(32).fill(5);
const AWAY: ChainFailure = { ok: false, reason: 'unreachable', message: 'the node does not answer' };

function scene() {
  const rows = new Map<number, StoredPass>();
  const balances = new Map<Address, bigint>([[GAS_KEY, 1_000_000n]]);
  const world = {
    rows,
    balances,
    sent: [] as { to: Address; units: bigint; name: string; recorded: boolean }[],
    coinWei: 10n ** 18n,
    /** What a book that is an old copy knows of later passes. */
    marked: 0,
    failure: undefined as ChainFailure | undefined,
    transferFailure: undefined as ChainFailure | undefined,
    gate: Promise.resolve(),
  };
  const deps: PassDeskDeps = {
    book: {
      all: () => [...rows.values()],
      lastSerial: () => Math.max(world.marked, ...rows.keys()),
      store: (passes) => {
        for (const pass of passes) rows.set(pass.serial, pass);
      },
    },
    seed: () => SEED,
    chain: {
      balanceOf: async (owner) => world.failure ?? { ok: true, units: balances.get(owner) ?? 0n },
      costs: async () => world.failure ?? { ok: true, gasPriceWei: 1_000n, balanceWei: world.coinWei },
      transfer: async (to, units, name) => {
        const recorded = [...rows.values()].some(({ address }) => address === to);
        world.sent.push({ to, units, name, recorded });
        await world.gate;
        if (world.transferFailure !== undefined) return world.transferFailure;
        balances.set(to, (balances.get(to) ?? 0n) + units);
        balances.set(GAS_KEY, (balances.get(GAS_KEY) ?? 0n) - units);
        return { ok: true, tx: `0x${'7e'.repeat(32)}`, feeWei: 1n };
      },
    },
    gasKey: { address: GAS_KEY },
    state: () => emptyState(0, 0n),
    clock: { wall: () => ({ unixS: 1_700_000_000n, isSynced: true }) },
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
  };
  return { world, desk: new PassDesk(deps) };
}

t.test('a batch is on record, then funded, each pass once and by its own name', async (t) => {
  const { world, desk } = scene();
  const result = await desk.create(3, 50_000n);
  if (!result.ok) throw new Error(result.message);
  t.equal(new Set(result.passes.map(({ code }) => code)).size, 3);
  t.ok(result.passes.every(({ state }) => state === 'funding'));
  t.equal(desk.fundingUnits, 150_000n, "what the node's wallet has to keep for them");
  await settled();
  t.equal(desk.fundingUnits, 0n);
  t.equal(world.sent.length, 3);
  t.ok(world.sent.every(({ recorded, units }) => recorded && units === 50_000n));
  t.equal(new Set(world.sent.map(({ name }) => name)).size, 3);
  for (const { code, address } of result.passes) {
    t.equal(addressFromPassCode(parsePassCode(code) ?? ''), address, 'the code is the key of the account');
  }
  t.match(await desk.list(), [{ serial: 3, state: 'ready', leftUnits: 50_000n }, { serial: 2 }, { serial: 1 }]);
  t.match(await desk.create(1, 1n), { ok: true, passes: [{ serial: 4 }] });
});

t.test('a code depends on seed and serial, and on nothing else', (t) => {
  t.equal(passCodeFor(SEED, 1), passCodeFor(SEED, 1));
  t.not(passCodeFor(SEED, 1), passCodeFor(SEED, 2));
  t.not(passCodeFor(SEED, 1), passCodeFor(new Uint8Array(32).fill(6), 1));
  t.end();
});

t.test('what cannot be paid for is refused with what is missing, and nothing is made', async (t) => {
  const { world, desk } = scene();
  t.match(await desk.create(0, 1n), { reason: 'bad-count' });
  t.match(await desk.create(MAX_PASSES_PER_BATCH + 1, 1n), { reason: 'bad-count' });
  t.match(await desk.create(1.5, 1n), { reason: 'bad-count' });
  t.match(await desk.create(1, 0n), { reason: 'bad-value' });
  t.match(await desk.create(1, MAX_PASS_UNITS + 1n), { reason: 'bad-value' });
  t.match(await desk.create(21, 50_000n), { reason: 'not-enough-ssp', message: /holds 1000000 units, 1050000 are/ });
  world.coinWei = 1_000n * (65_000n * 2n + 210_000n) - 1n;
  t.match(await desk.create(2, 1n), { reason: 'not-enough-coin', message: new RegExp(GAS_KEY) });
  world.failure = AWAY;
  t.match(await desk.create(2, 1n), { reason: 'chain-unreachable' });
  t.equal(world.rows.size, 0);
  t.equal(world.sent.length, 0);
});

t.test('two batches at once cannot spend the same money', async (t) => {
  const { desk } = scene();
  const [first, second] = await Promise.all([desk.create(15, 50_000n), desk.create(15, 50_000n)]);
  t.match(first, { ok: true });
  t.match(second, { ok: false, reason: 'busy' });
});

t.test('while one batch is being funded its money is not counted for the next', async (t) => {
  const { world, desk } = scene();
  let open: () => void = () => undefined;
  world.gate = new Promise((resolve) => {
    open = resolve;
  });
  t.match(await desk.create(15, 50_000n), { ok: true });
  t.match(await desk.create(15, 50_000n), { ok: false, reason: 'busy' });
  open();
  await settled();
  t.match(await desk.create(15, 50_000n), { ok: false, reason: 'not-enough-ssp' });
});

t.test('what was left unfunded is funded when the owner says so; what was paid once is not paid again', async (t) => {
  const { world, desk } = scene();
  t.match(await desk.fund(), { ok: true, passes: [] }, 'nothing to do');
  world.transferFailure = AWAY;
  await desk.create(4, 100n);
  await settled();
  const names = world.sent.map(({ name }) => name);
  const [first, second] = [...world.rows.values()] as [StoredPass, StoredPass];
  // Mined after all while nobody looked; the second is listed, and then used up.
  world.balances.set(first.address, 100n);
  world.balances.set(second.address, 100n);
  t.match(await desk.list(), [{ state: 'unfunded' }, { state: 'unfunded' }, { state: 'ready' }, { state: 'ready' }]);
  world.balances.set(second.address, 0n);
  t.match(await desk.list(), [{}, {}, { serial: 2, state: 'used' }, {}]);
  world.transferFailure = undefined;
  world.failure = AWAY;
  t.match(await desk.fund(), { ok: false, reason: 'chain-unreachable' });
  world.failure = undefined;
  t.match(await desk.fund(), {
    ok: true,
    passes: [
      { serial: 3, state: 'funding' },
      { serial: 4, state: 'funding' },
    ],
  });
  t.match(await desk.fund(), { ok: false, reason: 'busy' });
  await settled();
  t.same(
    world.sent.slice(4).map(({ name }) => name),
    names.slice(2),
    'under the names that they had: a transaction under way is found by it',
  );
  t.match(await desk.fund(), { ok: true, passes: [] });
  t.equal(world.sent.length, 6);
  world.transferFailure = AWAY;
  await desk.create(2, 100n);
  await settled();
  world.balances.set(GAS_KEY, 199n);
  t.match(await desk.fund(), { ok: false, reason: 'not-enough-ssp', message: /200 are needed/ });
});

t.test('the list says what became of each, and never sends again by itself', async (t) => {
  const { world, desk } = scene();
  world.transferFailure = AWAY;
  await desk.create(1, 100n);
  await settled();
  t.match(await desk.list(), [{ serial: 1, state: 'unfunded' }]);
  world.transferFailure = undefined;
  await desk.create(2, 100n);
  await settled();
  const [third, second] = await desk.list();
  world.balances.set(third?.address as Address, 40n);
  world.balances.set(second?.address as Address, 0n);
  t.match(await desk.list(), [{ state: 'part-used', leftUnits: 40n }, { state: 'used' }, { state: 'unfunded' }]);
  world.failure = AWAY;
  t.match(await desk.list(), [{ state: 'unknown' }, { state: 'unknown' }, { state: 'unknown' }]);
  t.equal(world.sent.length, 3);
});

t.test('a book that was put back from an old copy makes no code twice', async (t) => {
  const { world, desk } = scene();
  world.marked = 40;
  const result = await desk.create(2, 50_000n);
  t.match(result, { ok: true, passes: [{ serial: 41 }, { serial: 42 }] });
});
