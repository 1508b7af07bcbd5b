/** Keeps the view current: server-sent events where they work, polling where they do not or have gone silent. */
import { getView, type Problem, problemOf } from './router-client.ts';
import { type View, type ViewJson, viewFromJson } from './wire.ts';

export type FeedListener = {
  readonly onView: (view: View) => void;
  /** Called with a problem when the router cannot be reached or refuses, with undefined once it answers again. */
  readonly onTrouble: (problem: Problem | undefined) => void;
};

const LOOK_MS = 3_000;
/** The router sends at least a heartbeat every 15 s. */
const SILENCE_MS = 20_000;
/** How long a stream gets to deliver its first view before polling begins. */
const FIRST_VIEW_MS = 2_500;
const STREAM_RETRY_MS = 30_000;

export class LiveFeed {
  readonly #listener: FeedListener;
  #source: EventSource | undefined;
  #openedMs = 0;
  #heardMs = 0;
  #isPolling = false;

  constructor(listener: FeedListener) {
    this.#listener = listener;
  }

  start(): void {
    this.#listen();
    // The first view at once, whatever becomes of the stream.
    void this.poll();
    setInterval(() => this.#look(), LOOK_MS);
    // A phone wakes up with figures of an hour ago.
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) void this.poll();
    });
  }

  /** Asks for the view now. */
  async poll(): Promise<void> {
    if (this.#isPolling) return;
    this.#isPolling = true;
    const answer = await getView();
    this.#isPolling = false;
    this.#listener.onTrouble(answer.ok ? undefined : answer.problem);
    if (answer.ok) this.#listener.onView(answer.value);
  }

  #look(): void {
    const now = performance.now();
    const isStreaming = this.#heardMs >= this.#openedMs && now - this.#heardMs < SILENCE_MS;
    const isStarting = now - this.#openedMs < FIRST_VIEW_MS;
    if (isStreaming || isStarting) return;
    void this.poll();
    if (now - this.#openedMs > STREAM_RETRY_MS) this.#listen();
  }

  #listen(): void {
    this.#source?.close();
    this.#openedMs = performance.now();
    if (typeof EventSource === 'undefined') return;
    const source = new EventSource('/api/events');
    this.#source = source;
    source.addEventListener('view', (event) => {
      this.#heardMs = performance.now();
      this.#listener.onTrouble(undefined);
      const view = readView((event as MessageEvent<string>).data);
      if (view === undefined) this.#listener.onTrouble(problemOf('internal'));
      else this.#listener.onView(view);
    });
    source.addEventListener('error', () => {
      this.#heardMs = 0;
    });
  }
}

function readView(text: string): View | undefined {
  try {
    return viewFromJson(JSON.parse(text) as ViewJson);
  } catch {
    return undefined;
  }
}
