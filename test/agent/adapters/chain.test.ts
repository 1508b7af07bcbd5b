/** The chain adapter against a real anvil: pass codes open, vouchers close, refusals name their reason. */
import t from 'tap';
import { type ChainDeps, createChain } from '../../../agent/adapters/chain.ts';
import type { ChainFailure, ChainResult } from '../../../agent/ports.ts';
import { type ChannelConfig, channelId } from '../../../protocol/channel.ts';
import { passCodeFromRandom, secretKeyFromPassCode } from '../../../protocol/pass-code.ts';
import { addressFromSecretKey } from '../../../protocol/signature.ts';
import type { TokenAmount } from '../../../protocol/units.ts';
import { type Account, startAnvilWithContracts } from '../../support/anvil.ts';
import {
  channelsContract,
  configFor,
  createScene,
  NO_SIGNATURE,
  signerFromSecretKey,
  tokenContract,
} from '../../support/channel-scene.ts';

const DEPOSIT: TokenAmount = 500_000n;
const GUEST_FUNDS: TokenAmount = 50_000_000n;

const anvil = await startAnvilWithContracts();
t.teardown(() => anvil.stop());
const scene = createScene(anvil);
const [holder, payee, device, relayer] = anvil.accounts as [Account, Account, Account, Account];
const guest = passCodeAccount(1);
await fund(guest, GUEST_FUNDS);
const router = chainFor({ gasKey: signerFromSecretKey(device.secretKey) });

t.test('a pass code opens a channel, pays with a voucher, and gets the rest back', async (t) => {
  const config = configFor('the whole way', { payer: guest, payee, device });
  const opened = accepted(await router.relayOpen(config, scene.authorization(config, DEPOSIT, guest)));
  t.match(opened.tx, /^0x[0-9a-f]{64}$/);
  t.equal(await scene.balanceOf(guest.address), GUEST_FUNDS - DEPOSIT);
  t.strictSame(accepted(await router.channel(idOf(config))).channel, {
    deposit: DEPOSIT,
    claimed: 0n,
    exitAt: 0n,
    isClosed: false,
  });

  const voucher = scene.voucher(config, 300_000n, guest);
  const closed = accepted(await router.close(config, voucher, 123_456n));
  t.not(closed.tx, opened.tx);
  t.equal(accepted(await router.balanceOf(guest.address)).units, GUEST_FUNDS - 123_456n, 'refund = deposit - amount');
  t.equal(await scene.earned(payee.address), 123_456n);
  t.strictSame(accepted(await router.channel(idOf(config))).channel, {
    deposit: DEPOSIT,
    claimed: 123_456n,
    exitAt: 0n,
    isClosed: true,
  });
});

t.test('relaying an open again names the same transaction and deposits nothing more', async (t) => {
  const config = configFor('opened twice', { payer: guest, payee, device });
  const authorization = scene.authorization(config, DEPOSIT, guest);
  const first = accepted(await router.relayOpen(config, authorization));
  const again = accepted(await router.relayOpen(config, authorization));
  t.equal(again.tx, first.tx);
  t.equal((await scene.channel(config)).deposit, DEPOSIT);
});

t.test('a second authorisation tops the channel up', async (t) => {
  const config = configFor('topped up', { payer: guest, payee, device });
  accepted(await router.relayOpen(config, scene.authorization(config, DEPOSIT, guest)));
  accepted(await router.relayOpen(config, scene.authorization(config, 7n, guest, 1n)));
  t.equal((await scene.channel(config)).deposit, DEPOSIT + 7n);
});

t.test('closing with nothing used needs no voucher and gives everything back', async (t) => {
  const before = await scene.balanceOf(guest.address);
  const config = await opened('nothing used');
  const none = { channelId: idOf(config), amount: 0n, ackBytes: 0n, signature: NO_SIGNATURE };
  accepted(await router.close(config, none, 0n));
  t.equal(await scene.balanceOf(guest.address), before);
});

t.test('closing again names the same transaction, whatever is asked for', async (t) => {
  const config = await opened('closed twice');
  const voucher = scene.voucher(config, 1_000n, guest);
  const first = accepted(await router.close(config, voucher, 1_000n));
  const again = accepted(await router.close(config, scene.voucher(config, 9_000n, guest), 9_000n));
  t.strictSame([first.claimedUnits, again.claimedUnits], [1_000n, 1_000n], 'what was paid, not what is asked for now');
  t.equal(again.tx, first.tx);
  t.equal((await scene.channel(config)).claimed, 1_000n);
});

t.test('a closed channel does not open again with the authorisation it was opened with', async (t) => {
  const config = await opened('reopened');
  accepted(await router.close(config, scene.voucher(config, 1n, guest), 1n));
  const result = await router.relayOpen(config, scene.authorization(config, DEPOSIT, guest));
  t.match(failed(result), { reason: 'refused', message: /the contract refuses: ChannelIsClosed\(channelId: 0x/ });
});

t.test('a voucher that the signer did not sign closes nothing', async (t) => {
  const config = await opened('wrong voucher signer');
  const result = await router.close(config, scene.voucher(config, 1_000n, holder), 1_000n);
  const expected = new RegExp(`WrongSigner\\(expected: ${guest.address}, got: ${holder.address}\\)`, 'i');
  t.match(failed(result), { reason: 'refused', message: expected });
  t.notOk((await scene.channel(config)).isClosed);
});

t.test('a router cannot claim above the ceiling, nor with the voucher of another channel', async (t) => {
  const config = await opened('overclaimed');
  const above = await router.close(config, scene.voucher(config, 1_000n, guest), 1_001n);
  t.match(failed(above), { reason: 'refused', message: /AmountAboveCeiling\(ceiling: 1000, got: 1001\)/ });
  const other = await opened('the other channel');
  const stolen = await router.close(config, scene.voucher(other, 1_000n, guest), 1_000n);
  t.match(failed(stolen), { reason: 'refused', message: /WrongSigner/ });
});

t.test('an authorisation for another channel, contract or signer opens nothing', async (t) => {
  const config = configFor('not authorised', { payer: guest, payee, device });
  const other = scene.authorization(configFor('other', { payer: guest, payee, device }), DEPOSIT, guest);
  t.match(failed(await router.relayOpen(config, other)), { reason: 'refused', message: /belongs to another channel/ });
  const good = scene.authorization(config, DEPOSIT, guest);
  const elsewhere = { ...good, to: payee.address };
  t.match(failed(await router.relayOpen(config, elsewhere)), { reason: 'refused', message: /must pay 0x/ });
  const tooMuch = { ...good, value: 1n << 64n };
  t.match(failed(await router.relayOpen(config, tooMuch)), { reason: 'refused', message: /fit a channel/ });
  const byStranger = scene.authorization(config, DEPOSIT, holder);
  t.match(failed(await router.relayOpen(config, byStranger)), { reason: 'refused', message: /WrongSigner\(expected/ });
  t.equal((await scene.channel(config)).deposit, 0n);
});

t.test('a guest without the money is refused with both figures', async (t) => {
  const poor = passCodeAccount(2);
  await fund(poor, 100n);
  const config = configFor('too little', { payer: poor, payee, device });
  const result = await router.relayOpen(config, scene.authorization(config, 101n, poor));
  t.match(failed(result), { reason: 'refused', message: /BalanceTooLow\(balance: 100, needed: 101\)/ });
});

t.test("a gas key that is not the router's relays a close that the device signed", async (t) => {
  const config = await opened('relayed close');
  const gasKey = signerFromSecretKey(relayer.secretKey);
  const voucher = scene.voucher(config, 500n, guest);
  const stranger = chainFor({ gasKey });
  t.match(failed(await stranger.close(config, voucher, 500n)), {
    reason: 'refused',
    message: /this router is neither/,
  });
  const signing = chainFor({ gasKey, device: signerFromSecretKey(device.secretKey) });
  accepted(await signing.close(config, voucher, 500n));
  t.equal((await scene.channel(config)).claimed, 500n);
});

t.test('a gas key without coin is refused and says what to do', async (t) => {
  const config = configFor('no gas', { payer: guest, payee, device });
  const penniless = chainFor({ gasKey: signerFromSecretKey(passCodeAccount(3).secretKey) });
  const result = await penniless.relayOpen(config, scene.authorization(config, DEPOSIT, guest));
  t.match(failed(result), { reason: 'refused', message: /gas key 0x.* cannot pay: send it/ });
});

t.test('a node on another chain, without the contract, or for another token is refused at the first use', async (t) => {
  const gasKey = signerFromSecretKey(device.secretKey);
  const otherChain = await chainFor({ gasKey, chainId: 1n }).balanceOf(payee.address);
  t.match(failed(otherChain), { reason: 'refused', message: /on chain 31337, configured is 1/ });
  const noContract = await chainFor({ gasKey, channels: payee.address }).balanceOf(payee.address);
  t.match(failed(noContract), { reason: 'refused', message: /has no contract at/ });
  const otherToken = await chainFor({ gasKey, token: payee.address }).balanceOf(payee.address);
  t.match(failed(otherToken), { reason: 'refused', message: /is for token 0x/ });
});

t.test('a node that is not there is unreachable, not refused', async (t) => {
  const dead = chainFor({ gasKey: signerFromSecretKey(device.secretKey), rpcUrl: 'http://127.0.0.1:9/secret-key' });
  const result = failed(await dead.channel(idOf(configFor('any', { payer: guest, payee, device }))));
  t.match(result, { reason: 'unreachable', message: /^eth_chainId at 127\.0\.0\.1:9: / });
  t.notMatch(result.message, 'secret-key');
});

t.test('the owner withdraws what was earned less a tenth, and the tenth is burned', async (t) => {
  const earned = await scene.earned(payee.address);
  const fee = (earned + 9n) / 10n;
  await scene.send(relayer, scene.channels, channelsContract.withdraw.encodeInput(payee.address));
  t.equal(await scene.balanceOf(payee.address), earned - fee);
  await scene.send(relayer, scene.channels, channelsContract.burnFees.encodeInput());
  t.equal(await scene.balanceOf('0x000000000000000000000000000000000000dead'), fee);
});

function chainFor(deps: Partial<ChainDeps> & Pick<ChainDeps, 'gasKey'>) {
  const { chainId, channels, token } = anvil.deployment;
  return createChain({ rpcUrl: anvil.rpcUrl, chainId, channels, token, pollMs: 5, ...deps });
}

/** The account behind a pass code, as a printed card holds it. */
function passCodeAccount(seed: number): Account {
  const secretKey = secretKeyFromPassCode(passCodeFromRandom(new Uint8Array(13).fill(seed)));
  return { address: addressFromSecretKey(secretKey), secretKey };
}

async function fund(account: Account, value: TokenAmount): Promise<void> {
  await scene.send(holder, scene.token, tokenContract.transfer.encodeInput({ to: account.address, value }));
}

async function opened(name: string): Promise<ChannelConfig> {
  const config = configFor(name, { payer: guest, payee, device });
  accepted(await router.relayOpen(config, scene.authorization(config, DEPOSIT, guest)));
  return config;
}

function idOf(config: ChannelConfig) {
  return channelId(scene.deployment, config);
}

function accepted<T>(result: ChainResult<T>): T {
  if (!result.ok) throw new Error(`expected success, got ${result.reason}: ${result.message}`);
  return result;
}

function failed<T>(result: ChainResult<T>): ChainFailure {
  if (result.ok) throw new Error('expected a failure');
  return result;
}
