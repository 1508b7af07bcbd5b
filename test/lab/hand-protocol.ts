/** What the lab may ask of its hand in a namespace (hand.ts to hand-main.ts). Everything here crosses as JSON. */

export type HttpAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type FlowState = {
  /** Body bytes received or sent so far. */
  readonly bytes: number;
  readonly isDone: boolean;
  /** False as soon as a received byte is not the one that the server sent. */
  readonly isIntact: boolean;
  readonly idleMs: number;
  readonly error?: string;
};

export type ConnectOutcome = 'open' | 'refused' | 'timeout' | 'unreachable';

export type UdpSent = { readonly packets: number; readonly bytes: number };

export type HandOperations = {
  readonly ping: { readonly input: object; readonly output: object };
  /** One request; connects to `address` if given, else to the host of the URL. */
  readonly http: {
    readonly input: {
      readonly url: string;
      readonly address?: string;
      readonly method?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
      readonly timeoutMs?: number;
    };
    readonly output: HttpAnswer;
  };
  /** Starts a TCP download of `bytes` that goes on in the background under the name `flow`. */
  readonly download: {
    readonly input: {
      readonly flow: string;
      readonly address: string;
      readonly port: number;
      readonly bytes: number;
      readonly bytesPerS?: number;
    };
    readonly output: object;
  };
  readonly upload: {
    readonly input: { readonly flow: string; readonly address: string; readonly port: number; readonly bytes: number };
    readonly output: object;
  };
  readonly flow: { readonly input: { readonly flow: string }; readonly output: FlowState };
  readonly abort: { readonly input: { readonly flow: string }; readonly output: object };
  readonly connect: {
    readonly input: { readonly address: string; readonly port: number; readonly timeoutMs: number };
    readonly output: { readonly outcome: ConnectOutcome };
  };
  /** Sends datagrams of `size` payload bytes as fast as `packetsPerS` says; counts answers, at most `waitMs` longer. */
  readonly udpSend: {
    readonly input: {
      readonly address: string;
      readonly port: number;
      readonly size: number;
      readonly packets: number;
      readonly packetsPerS: number;
      readonly waitMs: number;
      /** Source addresses to take turns with; the host's own choice if absent. */
      readonly from?: readonly string[];
    };
    readonly output: { readonly sent: UdpSent; readonly received: UdpSent };
  };
  /** Asks the server's source port for datagrams and counts what comes. */
  readonly udpReceive: {
    readonly input: {
      readonly address: string;
      readonly size: number;
      readonly packets: number;
      readonly packetsPerS: number;
      readonly waitMs: number;
    };
    readonly output: { readonly received: UdpSent };
  };
  readonly resolve: {
    readonly input: { readonly name: string; readonly server: string; readonly family: 4 | 6 };
    readonly output: { readonly addresses: readonly string[] };
  };
  /** Takes TCP connections on all addresses of the namespace, as a forgotten service does. */
  readonly listen: { readonly input: { readonly port: number }; readonly output: object };
  /** Starts the internet's servers: HTTP on two ports, UDP echo, sink and source. */
  readonly serve: { readonly input: { readonly addresses: readonly string[] }; readonly output: object };
  /** What the servers have taken in since the last call. */
  readonly served: {
    readonly input: object;
    readonly output: {
      readonly requests: number;
      readonly uploadedBytes: number;
      readonly udpPackets: number;
      readonly udpBytes: number;
    };
  };
  /** Follows server-sent events of `url` until closed; each arrives as a message of its own. */
  readonly eventsOpen: {
    readonly input: { readonly stream: string; readonly url: string; readonly address: string };
    readonly output: object;
  };
  readonly eventsClose: { readonly input: { readonly stream: string }; readonly output: object };
};
