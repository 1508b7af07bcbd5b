/**
 * Elements of an nftables set, as NFT_MSG_GETSETELEM dumps them: key, comment, counter.
 *
 * @see include/uapi/linux/netfilter/nf_tables.h (nft_set_elem_attributes, nft_counter_attributes); libnftnl's
 *   include/udata.h for the comment, which nft keeps in the element's user data
 */
import { NetlinkError } from './error.ts';
import {
  Attributes,
  encodeAttribute,
  malformed,
  messagesOf,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  type Request,
  type Span,
  zeroEnded,
} from './message.ts';

export const NETLINK_NETFILTER = 12;
/** Families of tables (include/uapi/linux/netfilter.h). */
export const FAMILIES = { inet: 1, bridge: 7 } as const;

/** NFNL_SUBSYS_NFTABLES in the upper byte of each type. */
const NFTABLES = 10 << 8;
const NFT_MSG_NEWSETELEM = NFTABLES | 12;
const NFT_MSG_GETSETELEM = NFTABLES | 13;
/** struct nfgenmsg: family, version, resource. */
const NFGENMSG_BYTES = 4;

const LIST_TABLE = 1;
const LIST_SET = 2;
const LIST_ELEMENTS = 3;
const LIST_ELEM = 1;
const ELEM_KEY = 1;
const ELEM_USERDATA = 6;
const ELEM_EXPR = 7;
const ELEM_EXPRESSIONS = 11;
const DATA_VALUE = 1;
const EXPR_NAME = 1;
const EXPR_DATA = 2;
const COUNTER_BYTES = 1;
const COUNTER_PACKETS = 2;
const USERDATA_COMMENT = 0;

export type SetElement = {
  /** The key's bytes as hex digits. Each part of a concatenation is padded with zeros to 4 bytes. Empty for a catch-all. */
  readonly key: string;
  /** In Latin-1: bytes beyond ASCII are not put together. */
  readonly comment: string | undefined;
  /** Exact, unlike in nft's JSON beyond 2^53. Zero if the element has no counter. */
  readonly bytes: bigint;
  readonly packets: bigint;
};

export function setElementsRequest(family: keyof typeof FAMILIES, table: string, set: string): Request {
  return {
    type: NFT_MSG_GETSETELEM,
    flags: NLM_F_REQUEST | NLM_F_DUMP,
    payload: Buffer.concat([
      Buffer.from([FAMILIES[family], 0, 0, 0]),
      encodeAttribute(LIST_TABLE, zeroEnded(table)),
      encodeAttribute(LIST_SET, zeroEnded(set)),
    ]),
  };
}

/**
 * @throws NetlinkError: ENOENT if there is no such set; EINTR if the ruleset changed meanwhile; EBADMSG if anything is not as
 *   the kernel writes it
 */
export function decodeSetElements(answer: Buffer): SetElement[] {
  const elements: SetElement[] = [];
  let generation: number | undefined;
  for (const { type, start, end } of messagesOf(answer)) {
    if (type !== NFT_MSG_NEWSETELEM || end - start < NFGENMSG_BYTES)
      throw malformed(`a message of type ${type}`, start);
    // Each part says by its resource which generation of the ruleset it is of; elements can be missing between two.
    generation ??= answer.readUInt16BE(start + 2);
    if (generation !== answer.readUInt16BE(start + 2)) throw new NetlinkError('the ruleset changed', 'EINTR');
    const message = new Attributes(answer, { start: start + NFGENMSG_BYTES, end });
    while (message.next()) {
      if (message.type !== LIST_ELEMENTS) continue;
      const list = new Attributes(answer, message);
      while (list.next()) if (list.type === LIST_ELEM) elements.push(elementFrom(answer, list));
    }
  }
  return elements;
}

function elementFrom(answer: Buffer, span: Span): SetElement {
  let key = '';
  let comment: string | undefined;
  let counted: Counted = NOTHING;
  const element = new Attributes(answer, span);
  while (element.next()) {
    if (element.type === ELEM_KEY) key = keyFrom(answer, element);
    else if (element.type === ELEM_USERDATA) comment = commentFrom(answer, element);
    else if (element.type === ELEM_EXPR) counted = counterFrom(answer, element) ?? counted;
    else if (element.type === ELEM_EXPRESSIONS) {
      const expressions = new Attributes(answer, element);
      while (expressions.next()) counted = counterFrom(answer, expressions) ?? counted;
    }
  }
  return { key, comment, bytes: counted.bytes, packets: counted.packets };
}

function keyFrom(answer: Buffer, span: Span): string {
  const data = new Attributes(answer, span);
  while (data.next()) if (data.type === DATA_VALUE) return answer.toString('hex', data.start, data.end);
  throw malformed('a key', span.start);
}

type Counted = { readonly bytes: bigint; readonly packets: bigint };
const NOTHING: Counted = { bytes: 0n, packets: 0n };

/** Undefined if the expression is not a counter. */
function counterFrom(answer: Buffer, span: Span): Counted | undefined {
  const expression = new Attributes(answer, span);
  let isCounter = false;
  while (expression.next()) {
    if (expression.type === EXPR_NAME) {
      isCounter = answer.toString('latin1', expression.start, expression.end) === 'counter\0';
    } else if (expression.type === EXPR_DATA && isCounter) {
      return amountsFrom(answer, expression);
    }
  }
  return undefined;
}

function amountsFrom(answer: Buffer, span: Span): Counted {
  const amounts = new Attributes(answer, span);
  let { bytes, packets } = NOTHING;
  while (amounts.next()) {
    if (amounts.type !== COUNTER_BYTES && amounts.type !== COUNTER_PACKETS) continue;
    if (amounts.end - amounts.start !== 8) throw malformed('a counter', amounts.start);
    const amount = answer.readBigUInt64BE(amounts.start);
    if (amounts.type === COUNTER_BYTES) bytes = amount;
    else packets = amount;
  }
  return { bytes, packets };
}

/** User data are nft's own records: u8 type, u8 length, value. A comment ends with a zero. */
function commentFrom(answer: Buffer, { start, end }: Span): string | undefined {
  for (let at = start; at + 2 <= end; ) {
    const length = answer.readUInt8(at + 1);
    const valueEnd = at + 2 + length;
    if (valueEnd > end) throw malformed('user data', at);
    if (answer.readUInt8(at) === USERDATA_COMMENT && length > 0) return answer.toString('latin1', at + 2, valueEnd - 1);
    at = valueEnd;
  }
  return undefined;
}
