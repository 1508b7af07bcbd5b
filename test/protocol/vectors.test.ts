/**
 * test/vectors/protocol-digests.json is what the tool makes today, and what another library signs from the type texts of the
 * specification alone. The Solidity tests read the same file.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Domain } from '../../protocol/eip712.ts';
import { bytesFromHex, type Hex } from '../../protocol/hex.ts';
import { recoverSigner, signDigest } from '../../protocol/signature.ts';
import { vectorsText } from '../../tools/make-vectors.ts';
import { oracleSignature } from '../support/typed-data-oracle.ts';

type Signed = { readonly [field: string]: string | number } & {
  readonly digest: Hex;
  readonly signedBy: string;
  readonly signature: Hex;
};
type Vectors = {
  readonly origin: string;
  readonly domains: { readonly [name: string]: { readonly [Field in keyof Domain]: string } };
  readonly keys: { readonly [name: string]: { readonly secretKey: Hex; readonly address: Hex } };
  readonly channelConfigs: readonly ({ readonly channelId: Hex } & { readonly [field: string]: string })[];
} & { readonly [list: string]: readonly Signed[] };

const TEXT = readFileSync(new URL('../vectors/protocol-digests.json', import.meta.url), 'utf8');
const VECTORS = JSON.parse(TEXT) as Vectors;

/** [list in the file, domain, type text as in the specification] */
const TYPES = [
  ['vouchers', 'channels', 'Voucher(bytes32 channelId,uint64 amount,uint64 ackBytes)'],
  ['opens', 'channels', 'Open(bytes32 channelId,uint64 amount,uint256 deadline)'],
  ['closesByPayee', 'channels', 'Close(bytes32 channelId,uint64 amount)'],
  ['closesByDevice', 'channels', 'Close(bytes32 channelId,uint64 amount)'],
  ['exits', 'channels', 'Exit(bytes32 channelId,uint256 deadline)'],
  ['attaches', 'channels', 'Attach(bytes32 channelId,bytes32 challenge)'],
  [
    'authorizations',
    'token',
    'ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)',
  ],
  [
    'quotes',
    'channels',
    'Quote(address device,address payee,address token,uint64 unitsPerMb,uint64 unitsPerMinute,uint64 minDeposit,uint64 openFee,uint40 exitDelay,uint40 expiry,uint40 validUntil,bytes32 nonce)',
  ],
  [
    'trafficProofs',
    'registry',
    'TrafficProof(address device,uint32 epoch,uint32 seq,uint40 startS,uint40 endS,uint64 bytesUp,uint64 bytesDown,uint64 paid,bytes32 sessionsRoot,bytes32 prev,uint8 clockState)',
  ],
  [
    'tickVouchers',
    'channels',
    'TickVoucher(bytes32 channelId,uint64 amount,bytes32 anchor,uint32 tickValue,uint32 ticks)',
  ],
  ['claimBatches', 'channels', 'ClaimBatch(bytes32 root)'],
  ['permits', 'token', 'Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)'],
  ['vendorAttestations', 'registry', 'VendorAttestation(uint32 vendorId,address device,bytes32 model,uint40 notAfter)'],
  ['deviceBindings', 'registry', 'DeviceBinding(address device,address operator,uint256 nonce)'],
  ['clockStatements', 'registry', 'ClockStatement(address collector,address device,bytes32 nonce,uint40 timeS)'],
  [
    'clockCorrections',
    'registry',
    'ClockCorrection(address device,uint32 fromSeq,uint32 toSeq,uint40 bootS,bytes32 statement)',
  ],
  [
    'enrolments',
    'registry',
    'Enrolment(address device,address collector,bytes32 nonce,uint8 method,bytes32 credential)',
  ],
  ['keyRotations', 'registry', 'KeyRotation(address device,address successor,uint32 nextSeq,bytes32 prev)'],
  ['listingAccesses', 'registry', 'ListingAccess(address reader,address device,address collector,uint40 untilS)'],
  ['proofReceipts', 'registry', 'ProofReceipt(address collector,bytes32 proof,uint8 verdict,uint40 receivedS)'],
] as const;

t.test('the file is what the tool makes', (t) => {
  t.equal(TEXT, vectorsText());
  t.match(VECTORS.origin, /make-vectors/);
  t.end();
});

for (const [list, domainName, typeText] of TYPES) {
  const vectors = VECTORS[list] as readonly Signed[];
  for (const [i, vector] of vectors.entries()) {
    // A verdict is signed as its number, which the file has beside its name.
    const message = 'verdictCode' in vector ? { ...vector, verdict: vector['verdictCode'] as string } : vector;
    t.test(`${list} ${i} is signed the same by another library`, (t) => {
      const secretKey = bytesFromHex(VECTORS.keys[vector.signedBy]?.secretKey ?? '');
      t.equal(
        oracleSignature(domainOf(domainName), typeText, bigintsOf(message, typeText), secretKey),
        vector.signature,
      );
      t.equal(signDigest(bytesFromHex(vector.digest), secretKey), vector.signature);
      t.equal(recoverSigner(bytesFromHex(vector.digest), vector.signature), VECTORS.keys[vector.signedBy]?.address);
      t.end();
    });
  }
}

for (const config of VECTORS.channelConfigs) {
  t.test(`the id of ${config['case']} is the digest that another library signs`, (t) => {
    const type =
      'ChannelConfig(address payer,address signer,address payee,address device,uint40 expiry,uint40 exitDelay,bytes32 salt)';
    const secretKey = bytesFromHex(VECTORS.keys['stranger']?.secretKey ?? '');
    const expected = oracleSignature(domainOf('channels'), type, bigintsOf(config, type), secretKey);
    t.equal(signDigest(bytesFromHex(config.channelId), secretKey), expected);
    t.end();
  });
}

function domainOf(name: string): Domain {
  const { name: domainName, version, chainId, verifyingContract } = VECTORS.domains[name] as Vectors['domains'][string];
  return { name: domainName, version, chainId: BigInt(chainId), verifyingContract: verifyingContract as Hex };
}

/** Just the fields that the type text names, uints as bigint. */
function bigintsOf(vector: { readonly [field: string]: string | number }, typeText: string): object {
  const members = typeText
    .slice(typeText.indexOf('(') + 1, -1)
    .split(',')
    .map((member) => member.split(' '));
  return Object.fromEntries(
    members.map(([type, name]) => {
      const value = vector[name as string] as string;
      return [name, type?.startsWith('uint') === true ? BigInt(value) : value];
    }),
  );
}
