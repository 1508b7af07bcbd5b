/**
 * A guest's side of the portal, over HTTP from the guest's own namespace: exactly the requests that the page sends,
 * signed by the page's wallet. Every answer is held to what the OpenAPI document says of it.
 */
import * as v from 'valibot';
import { ANSWERS, OPERATIONS } from '../../captive-portal/openapi.ts';
import {
  attachRequestFrom,
  challengeJsonFromKey,
  nextVoucher,
  openJsonFromRequest,
  openRequestFrom,
  type PackageOffer,
  secretKeyFromText,
  type Terms,
} from '../../captive-portal/page/wallet.ts';
import {
  type ChallengeJson,
  challengeFromJson,
  type ProblemJson,
  type TermsJson,
  termsFromJson,
  type View,
  type ViewJson,
  viewFromJson,
} from '../../captive-portal/page/wire.ts';
import { type AttachJson, attachJsonFromAttach } from '../../protocol/attach.ts';
import { hexFromBytes } from '../../protocol/hex.ts';
import type { OpenRequest, PaymentMode } from '../../protocol/open-wire.ts';
import { type SignedVoucher, voucherJsonFromVoucher } from '../../protocol/voucher.ts';
import { PORTAL_NAME } from './addresses.ts';
import { LabError } from './errors.ts';
import type { Hand } from './hand.ts';
import type { HttpAnswer } from './hand-protocol.ts';
import { until } from './wait.ts';

export type Offer = PackageOffer;

const BASE = `http://${PORTAL_NAME}`;
/** Long enough for an agent to be killed and come back. */
const PATIENCE_MS = 30_000;
/** An open waits for a block. */
const OPEN_TIMEOUT_MS = 20_000;

export class PortalClient {
  readonly #hand: Hand;
  /** Address that the portal's name resolved to. */
  readonly #address: string;
  #terms: Terms | undefined;
  #secretKey: Uint8Array | undefined;
  #last: SignedVoucher | undefined;
  #vouchers = 0;

  constructor(hand: Hand, address: string) {
    this.#hand = hand;
    this.#address = address;
  }

  /** Vouchers that the router accepted, the first one included. */
  get vouchers(): number {
    return this.#vouchers;
  }

  get lastVoucher(): SignedVoucher | undefined {
    return this.#last;
  }

  request(path: string, body?: object, timeoutMs?: number): Promise<HttpAnswer> {
    return this.#hand.call('http', {
      url: `${BASE}${path}`,
      address: this.#address,
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(body === undefined
        ? {}
        : {
            method: 'POST',
            body: JSON.stringify(body),
            headers: { 'content-type': 'application/json', origin: BASE },
          }),
    });
  }

  async terms(): Promise<Terms> {
    this.#terms = termsFromJson((await this.#json('/api/quote')) as TermsJson);
    return this.#terms;
  }

  /** The terms last fetched, as an open page has them; fetched only if there are none. */
  async knownTerms(): Promise<Terms> {
    return this.#terms ?? (await this.terms());
  }

  async view(): Promise<View> {
    return viewFromJson((await this.#json('/api/view')) as ViewJson);
  }

  /** Opens a channel with a pass code; the router relays the deposit. */
  async open(passCode: string, deposit: bigint, firstAmount: bigint, mode: PaymentMode): Promise<View> {
    const request = await this.#prepare(passCode, deposit, firstAmount, mode);
    return this.#opened(request, await this.#json('/api/open', openJsonFromRequest(request), OPEN_TIMEOUT_MS));
  }

  /** The same, asked again and again with one and the same request, as the page does when no answer comes. */
  async openPatiently(
    passCode: string,
    deposit: bigint,
    firstAmount: bigint,
    mode: PaymentMode,
    patienceMs = PATIENCE_MS,
  ): Promise<View> {
    const request = await this.#prepare(passCode, deposit, firstAmount, mode);
    return await until('the channel to be open', patienceMs, async () => {
      try {
        return this.#opened(request, await this.#json('/api/open', openJsonFromRequest(request), OPEN_TIMEOUT_MS));
      } catch (error) {
        const isOpen = error instanceof PortalRefusal && error.problem?.reason === 'already-open';
        if (!isOpen) throw error;
        return this.#opened(request, await this.#json('/api/view'));
      }
    });
  }

  /** Signs and sends the next voucher. */
  async addUnits(addUnits: bigint, view: Pick<View, 'depositUnits' | 'downBytes' | 'upBytes'>): Promise<View> {
    const voucher = this.#sign(addUnits, view);
    const next = viewFromJson((await this.#json('/api/voucher', voucherJsonFromVoucher(voucher))) as ViewJson);
    this.#last = voucher;
    this.#vouchers += 1;
    return next;
  }

  /** Goes on from the newest voucher that the router holds: an answer may have been lost with the agent. */
  resume(view: Pick<View, 'lastVoucher'>): void {
    this.#last = view.lastVoucher ?? this.#last;
  }

  /** What this device's answer to a fresh challenge looks like on the wire. */
  async attachAnswer(passCode: string): Promise<AttachJson> {
    const secretKey = keyOf(passCode);
    const asked = challengeFromJson(
      (await this.#json('/api/challenge', challengeJsonFromKey(secretKey))) as ChallengeJson,
    );
    return attachJsonFromAttach(attachRequestFrom({ secretKey, ...asked }));
  }

  /** Takes up the session that the pass code has running here; vouchers go on from where it is. */
  async attach(passCode: string): Promise<View> {
    const view = viewFromJson((await this.#json('/api/attach', await this.attachAnswer(passCode))) as ViewJson);
    this.#secretKey = keyOf(passCode);
    this.#last = view.lastVoucher;
    return view;
  }

  async leave(): Promise<View> {
    return viewFromJson((await this.#json('/api/leave', {})) as ViewJson);
  }

  async startTrial(): Promise<View> {
    return viewFromJson((await this.#json('/api/trial', {})) as ViewJson);
  }

  /** Follows the live view; returns what ends it. */
  follow(stream: string, listener: (view: View | undefined) => void): Promise<() => Promise<void>> {
    return this.#hand.follow(stream, `${BASE}/api/events`, this.#address, (data) => {
      listener(data === undefined ? undefined : viewFromJson(declared('/api/events', JSON.parse(data)) as ViewJson));
    });
  }

  async #prepare(passCode: string, deposit: bigint, firstAmount: bigint, mode: PaymentMode): Promise<OpenRequest> {
    const terms = await this.terms();
    const salt = hexFromBytes(crypto.getRandomValues(new Uint8Array(32)));
    const secretKey = keyOf(passCode);
    const built = openRequestFrom({ terms, secretKey, deposit, firstAmount, mode, salt });
    if (!built.ok) throw new LabError('LAB_WALLET', `The wallet refused: ${built.expected}, got ${built.got}`);
    this.#secretKey = secretKey;
    return built.request;
  }

  #opened(request: OpenRequest, answer: unknown): View {
    this.#last = request.voucher;
    this.#vouchers += 1;
    return viewFromJson(answer as ViewJson);
  }

  #sign(addUnits: bigint, view: Pick<View, 'depositUnits' | 'downBytes' | 'upBytes'>): SignedVoucher {
    if (this.#terms === undefined || this.#secretKey === undefined || this.#last === undefined) {
      throw new LabError('LAB_WALLET', 'A voucher was asked for before a channel was opened');
    }
    const built = nextVoucher({
      deployment: this.#terms.deployment,
      secretKey: this.#secretKey,
      last: this.#last,
      depositUnits: view.depositUnits,
      addUnits,
      ackBytes: view.downBytes + view.upBytes,
    });
    if (!built.ok) throw new LabError('LAB_WALLET', `The wallet refused: ${built.expected}, got ${built.got}`);
    return built.voucher;
  }

  async #json(path: string, body?: object, timeoutMs?: number): Promise<unknown> {
    const answer = await this.request(path, body, timeoutMs);
    if (answer.status === 200) return declared(path, JSON.parse(answer.body));
    const problem = problemFrom(answer.body);
    throw new PortalRefusal(path, answer.status, problem);
  }
}

/** @throws LabError if the route's schema does not allow the answer. */
function declared(path: string, answer: unknown): unknown {
  const operation = OPERATIONS.find((known) => known.path === path);
  if (operation === undefined) throw new LabError('LAB_ANSWER', `The OpenAPI document does not know ${path}`);
  const { success, issues } = v.safeParse(ANSWERS[operation.answer.ref], answer);
  if (success) return answer;
  const wrong = issues.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`).join('; ');
  throw new LabError('LAB_ANSWER', `${path} answered what its schema does not allow: ${wrong}`);
}

function keyOf(passCode: string): Uint8Array {
  const secretKey = secretKeyFromText(passCode);
  if (secretKey === undefined) throw new LabError('LAB_PASS', 'The lab made a pass code that is none');
  return secretKey;
}

/** The portal said no, with its reason. */
export class PortalRefusal extends LabError {
  readonly status: number;
  readonly problem: ProblemJson | undefined;

  constructor(path: string, status: number, problem: ProblemJson | undefined) {
    const said = problem === undefined ? '' : `: ${problem.reason}, expected ${problem.expected}, got ${problem.got}`;
    super('LAB_REFUSED', `The portal answered ${path} with ${status}${said}`);
    this.status = status;
    this.problem = problem;
  }
}

function problemFrom(body: string): ProblemJson | undefined {
  try {
    return JSON.parse(body) as ProblemJson;
  } catch {
    // Not from the portal (a proxy, the internet): the status alone is told.
    return undefined;
  }
}
